"""Judges whether a server of HostUp's guest-agent endpoint, or a client of it, conforms to the contract.

Run it by ``make conformance``, ``pytest --pyargs hostup_conformance --base-url URL``, or ``hostup-conformance``. Public
are that command, the options, the reports, and the modules ``mock`` and ``respx``; all else may change. Data flows one
way: target, source, exchanges, rules, verdict, reports. A new rule goes into ``contract/rules/``.
"""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("hostup-agent-exec")
