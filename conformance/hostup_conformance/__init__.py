"""Judges whether any server of HostUp's guest-agent endpoint conforms to its contract.

``make conformance``, or ``pytest --pyargs hostup_conformance --base-url URL``. The way through is one:
target, source, exchanges, rules, verdict, reports. A new rule goes into ``rules/``.
"""

from importlib.metadata import version

__version__ = version("hostup-agent-exec")
