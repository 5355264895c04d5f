"""Runs one of the clients by name; `Right` is the right one that the others are made of."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from clients.faulty import Right, faulty

if __name__ == "__main__":
    clients: dict[str, type[Right]] = {"Right": Right, **{one.name: one.client for one in faulty()}}
    sys.exit(clients[sys.argv[1]]().main())
