"""Where exchanges come from. A source sends through the wire, or replays what was sent, and judges nothing.

Afterwards, the wire holds the exchanges. The sources are:

- `commands`, the scripted probe: `script` and `start_steps` write its steps, of what is in `requests`; `queue` sends
  them, some of them through `generated_client`; `follow_ups`, `started_commands`, `control_commands` and `rate_limit`
  send what depends on responses;
- `generated` and `stateful`, for which schemathesis makes the requests or decides on their order;
- `lookup`, which finds a VPS if none was named;
- `recording`, which replays a file.
"""
