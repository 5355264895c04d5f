"""HTTP and judging, for any contract: what this folder needs to know of a contract is passed in as arguments.

- Exchanges: `messages`, `exchange`, `har`, and `json_text`, `times` and `safe_text` for what is in them.
- Sending: `wire` sends requests as `pace` allows, through `connections` on a `route` and its `network`; `bodies` and
  `limits` bound what comes back, and `unsent` has the exceptions.
- Judging: `ledger` has the requirements, `rule` applies one, and `verdict` all of them; `waivers`, `root_cause` and
  `defects` change or explain what comes out; `time_limit` bounds it.
- What leaves the suite: `redact`, `files`; and `misconfigured`, for what cannot be used.
"""
