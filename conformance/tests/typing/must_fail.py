"""What type checkers have to refuse: each ignored line must need it. It is checked, never run."""

from hostup_agent_exec import AuthenticatedClient, Client
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.models import CommandOutput
from hostup_agent_exec.types import UNSET


def wrong_arguments(client: AuthenticatedClient, anonymous: Client) -> None:
    get_agent_exec.sync("v", client=client, pid=None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    get_agent_exec.sync("v", client=client, pid="4242")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    get_agent_exec.sync("v", client=client, pid=1.5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    get_agent_exec.sync(None, client=client)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    get_agent_exec.sync(7, client=client)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    get_agent_exec.sync("v")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    get_agent_exec.sync("v", client)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    get_agent_exec.sync("v", client=anonymous)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    get_agent_exec.sync_detailed("v", client=client, pid=None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    get_agent_exec.wait("v", UNSET, client=client)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    get_agent_exec.wait("v", client=client)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    get_agent_exec.wait("v", 1, client=client, timeout=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    start_agent_exec.run("v", ["uname"], client=client)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    start_agent_exec.run("v", "uname", client=anonymous)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    start_agent_exec.run("v", client=client)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    start_agent_exec.sync("v", client=client, body="uname")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AuthenticatedClient("https://h.test", 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AuthenticatedClient("https://h.test", "key", timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AuthenticatedClient(retries=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    get_agent_exec.sync("v", client=client, timeout="3")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    start_agent_exec.run("v", "uname", client=client, check="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    start_agent_exec.run_many("v", "uname", client=client, limit=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def the_other_shape(client: AuthenticatedClient) -> None:
    print(get_agent_exec.sync("v", client=client).exited)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    print(get_agent_exec.sync("v", client=client, pid=1).available)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    print(get_agent_exec.sync_detailed("v", client=client).parsed.available)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess, reportUnknownArgumentType, reportUnknownMemberType]


async def unawaited(client: AuthenticatedClient) -> None:
    print(get_agent_exec.asyncio("v", client=client).available)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]


def none_is_no_string(output: CommandOutput) -> None:
    print(output.stdout.upper())  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    CommandOutput()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CommandOutput(exited="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
