"""Runs one of the clients by name; `Right` is the right one that the others are made of."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from clients.faulty import Right, faulty

if __name__ == "__main__":
    name = sys.argv[1]
    sys.exit((Right if name == "Right" else faulty()[name].client)().main())
