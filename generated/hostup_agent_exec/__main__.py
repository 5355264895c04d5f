"""The command line: `hostup-agent-exec --help`, or `python -m hostup_agent_exec --help`."""

import sys
from collections.abc import Sequence

from hostup_agent_runtime import command_line as _command_line

from . import AuthenticatedClient, __version__
from .api.agent import get_agent_exec, start_agent_exec
from .api.vps import list_vps

COMMANDS = (
    _command_line.Command(
        name="run",
        help="run a command and wait for its end",
        kind="run",
        call=start_agent_exec.run,
        arguments=(
            _command_line.Argument(
                "id", str, "Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`"
            ),
        ),
        words="command",
        scopes="read:vm and write:vm",
    ),
    _command_line.Command(
        name="probe",
        help="ask whether commands can be run in a VPS",
        kind="ask",
        call=get_agent_exec.sync,
        arguments=(
            _command_line.Argument(
                "id", str, "Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`"
            ),
        ),
        gate="available",
        scopes="read:vm",
    ),
    _command_line.Command(
        name="wait",
        help="wait for the end of a command",
        kind="wait",
        call=get_agent_exec.wait,
        arguments=(
            _command_line.Argument(
                "id", str, "Public id of a VPS, exactly as `GET /api/v2/vps` returns it in `data[].id`"
            ),
            _command_line.Argument("pid", int, "Process id of a command, as returned by its start"),
        ),
        scopes="write:vm",
    ),
    _command_line.Command(
        name="list",
        help="list the VPSs of the caller",
        kind="list",
        call=list_vps.iterate,
        arguments=(),
        scopes="read:vm",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments ask for, and return the exit code."""
    return _command_line.main(
        argv,
        program="hostup-agent-exec",
        version=__version__,
        description="Runs commands and tells how they ended. The key is taken from HOSTUP_API_KEY in the environment, and the base URL from HOSTUP_BASE_URL (default: https://cloud.hostup.se).",
        commands=COMMANDS,
        make=AuthenticatedClient,
    )


if __name__ == "__main__":
    sys.exit(main())
