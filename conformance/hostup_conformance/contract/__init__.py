"""What is HostUp's own. It sends nothing.

- What is named: `document`, `paths`, `problems`, `target`, `commands`.
- What requests ask for: `ask`, which `understanding` reads from them.
- What exchanges show: `content` of one response, `responder` who gave it, `lives` of a command, `exchanges` of all; the
  `selectors` select by that.
- The rules for servers: `rules`, one module for each area; `server_verdict` applies them, `oracles` check them,
  `refusal` and `ban` tell what is no fault of the server, and `not_shown` what a verdict does not say.
  `schemathesis_client` asks schemathesis, which is imported in another process alone, `schemathesis_process`.
- Why something is broken: `causes`, which no rule needs to know but those about commands.
- What may be sent: `policy`, and `sending`, which makes the wire that keeps to it.
"""
