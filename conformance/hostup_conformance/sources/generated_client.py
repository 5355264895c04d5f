"""Calls the generated client so that its requests go through the wire, and records what it decodes."""

from typing import Any

import httpx
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.models.command_start import CommandStart
from hostup_agent_exec.types import UNSET, Response

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.exchange import Decoded
from hostup_conformance.http.json_text import LONGEST_STRING, abridged
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Unsent
from hostup_conformance.keeping.safe_text import split_url
from hostup_conformance.sources.requests import ClientCall, Step

#: The largest body (in bytes) that the client is to decode too: all that an agent keeps, if it is text.
LARGEST_DECODED = 32 << 20


class NotDecoded(Exception):
    """The body is so large that it would need too much memory to be decoded twice."""


class WireTransport(httpx.BaseTransport):
    """Lets an httpx client, and so the generated client, send through the wire."""

    def __init__(self, wire: Wire, purpose: str) -> None:
        self._wire, self._purpose = wire, purpose
        self.exchange: Exchange | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; raise httpx's own error if no response came, and `NotDecoded` if a very large one did."""
        base = split_url(self._wire.base_url).path
        target = request.url.raw_path.decode("ascii").removeprefix(base)
        dropped = {"host", "connection", "content-length"}
        headers = tuple((k, v) for k, v in request.headers.multi_items() if k.lower() not in dropped)
        self.exchange = self._wire.send(Request(request.method, target, headers, request.read()), purpose=self._purpose)
        if self.exchange.response is None:
            raise httpx.ReadError(self.exchange.failure or self.exchange.too_large or "", request=request)
        if len(self.exchange.response.body) > LARGEST_DECODED:
            raise NotDecoded
        return self.exchange.response.as_httpx(request)


def call(wire: Wire, step: Step, wanted: ClientCall) -> Exchange | None:
    """Make a call with the generated client, and record on its exchange what it decoded."""
    transport, target = WireTransport(wire, step.purpose), wire.target
    headers = {"Accept-Encoding": "gzip, deflate"}
    if wanted.ordered:
        headers["Prefer"] = f"code={wanted.ordered}"
    # Target has checked whether the key may be sent without TLS, and everything goes through the wire.
    client = AuthenticatedClient(base_url=target.base_url, token=target.key, headers=headers, allow_plain_http=True)
    client.set_httpx_client(
        httpx.Client(
            base_url=target.base_url, transport=transport, headers={**headers, "Authorization": f"Bearer {target.key}"}
        )
    )
    response: Response[Any]
    try:
        if wanted.command is None:
            pid = UNSET if wanted.pid is None else wanted.pid
            response = get_agent_exec.sync_detailed(wanted.vps, client=client, pid=pid)
        else:
            response = start_agent_exec.sync_detailed(wanted.vps, client=client, body=CommandStart(wanted.command))
        decoded = Decoded(abridged(to_json(response.parsed), LONGEST_STRING))
    except Unsent:
        raise
    except NotDecoded:
        return transport.exchange
    except Exception as error:
        decoded = Decoded(raised=type(error).__name__)
    exchange: Exchange | None = transport.exchange
    if exchange is not None:
        # It may be as large as the budget for what is kept, which counts it once.
        exchange.decoded = Decoded(exchange.body) if decoded == Decoded(exchange.body) else decoded
    return exchange


def to_json(parsed: Any) -> Any:
    """Return what the generated client decoded, as JSON again."""
    return parsed.to_dict() if hasattr(parsed, "to_dict") else parsed
