"""Serves the embedded mock: `python -m hostup_conformance.mock`."""

from hostup_conformance.mock import main

if __name__ == "__main__":
    main()
