"""What is HostUp's own. It sends nothing.

- What is named: `paths`, `problems`, `target`, `commands`.
- What requests ask for, and what exchanges show: `ask`, `selectors`, `content`, `lives`.
- The rules for servers: `rules`, one module for each area; `judging` applies them, `oracles` check them, and `refusal`
  and `ban` tell what is no fault of the server.
- Why something is broken: `causes`, which no rule needs to know but those about commands.
- What may be sent: `policy`, and `sending`, which makes the wire that keeps to it.
"""
