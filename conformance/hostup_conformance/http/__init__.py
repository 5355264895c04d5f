"""What speaks HTTP, for any contract: what it needs to know of one is passed in as arguments. It judges nothing.

- Exchanges: `messages`, `exchange` and `har`; `json_text` and `times` read what is in them, and `credentials` finds
  what nobody is to see.
- Sending: `wire` sends requests as `pace` allows, through `connections` on a `route` and its `network`; `bodies` and
  `limits` bound what comes back, and `crowding` finds out whether requests wait for the end of other connections.
- Serving: `scripted` serves bytes as a script says, for clients that are judged, and `incoming` reads their requests.
"""
