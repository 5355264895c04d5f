"""Where exchanges come from. A source sends through the wire, or replays what was sent, and judges nothing.

Each has one shape: a function of wire and target, `run(wire, target, …)`, after which the wire holds the exchanges.
Where a client is judged nothing is sent: `client` plays it the scenes, `client_recording` reads a recording, and both
return what was received.
"""
