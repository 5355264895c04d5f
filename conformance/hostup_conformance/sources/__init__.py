"""Where exchanges come from. A source sends through the wire, or replays what was sent, and judges nothing.

Each has one shape: a function of wire and target, `take(wire, target, …)`, after which the wire holds the exchanges.
"""
