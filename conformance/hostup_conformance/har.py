"""HAR 1.2: reads recorded traffic as exchanges, and writes exchanges as a recording without keys.

The format: http://www.softwareishard.com/blog/har-12-spec/. Browsers, proxies and schemathesis write it.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hostup_conformance import __version__
from hostup_conformance.exchange import VPSS, Answer, Exchange, Headers, Request, understand
from hostup_conformance.redact import MARK, Redactor
from hostup_conformance.target import Misconfigured, Target
from hostup_conformance.times import rfc3339

if TYPE_CHECKING:
    from pathlib import Path

#: A recording may be large, but not without bound.
LARGEST_FILE = 500 << 20
#: What a redacted recording has in the place of a key, by what the key was: the suite knows its own recordings again.
PLACEHOLDERS = {"full": "[key]", "lowercase": "[key]", "read": "[read-key]"}
#: These no longer hold for a body that was decoded before it was recorded.
CODINGS = {"content-encoding", "transfer-encoding", "content-length"}


def read(file: Path, target: Target) -> tuple[list[Exchange], int]:
    """Return the exchanges of the endpoint in a recording, and how many entries are about something else.

    Raises `Misconfigured` for a file that is no HAR.
    """
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise Misconfigured(f"--har {file}: larger than {LARGEST_FILE >> 20} MiB; record less")
        entries = json.loads(file.read_text(encoding="utf-8-sig"))["log"]["entries"]
        found = [exchange_of(entry, number, target) for number, entry in enumerate(entries, 1)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Misconfigured(f"--har {file}: no HAR 1.2 ({type(error).__name__}: {error}); export it again") from None
    ours = [exchange for exchange in found if exchange is not None]
    if not any(exchange.ask.endpoint for exchange in ours):
        raise Misconfigured(f"--har {file}: none of its {len(found)} entries is about the endpoint; record its use")
    return ours, len(found) - len(ours)


def exchange_of(entry: dict[str, Any], number: int, target: Target) -> Exchange | None:
    """Return an entry as an exchange, None if it is not about the endpoint."""
    parts = urlsplit(entry["request"]["url"])
    start = parts.path.find(VPSS)
    if start < 0:
        return None
    path = parts.path[start:] + (f"?{parts.query}" if parts.query else "")
    request = Request(entry["request"]["method"], path, headers_of(entry["request"], target))
    ask = understand(request, target)
    if ask.resource == "other":
        return None
    answer = answer_of(entry["response"])
    return Exchange(
        number=number,
        request=request,
        answer=answer,
        ask=ask,
        # Browsers write the status 0 for a request that was cancelled or blocked: nobody's fault.
        failure=None,
        seconds=max(float(entry.get("time") or 0), 0.0) / 1000,
        when=rfc3339(entry["startedDateTime"]),
        purpose="recorded",
        source="har",
    )


def headers_of(message: dict[str, Any], target: Target | None = None) -> Headers:
    """Return the headers of a message; in those of a request, our own placeholders become keys again."""
    keys = {PLACEHOLDERS["full"]: target.key, PLACEHOLDERS["read"]: target.read_key or ""} if target else {}
    # HTTP/2 pseudo-headers are recorded beside the others.
    pairs = [(h["name"], h["value"]) for h in message["headers"] if not h["name"].startswith(":")]
    for mark, key in keys.items():
        pairs = [(name, value.replace(mark, key or "recorded-key")) for name, value in pairs]
    return tuple(pairs)


def answer_of(response: dict[str, Any]) -> Answer | None:
    """Return a recorded answer, None where there was none."""
    if not response["status"]:
        return None
    content = response.get("content", {})
    text = content.get("text", "")
    body = b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "surrogatepass")
    headers = tuple(pair for pair in headers_of(response) if pair[0].lower() not in CODINGS)
    return Answer(response["status"], headers, body)


def write(file: Path, exchanges: list[Exchange], target: Target) -> None:
    """Write a recording from which every key has been taken."""
    redact = Redactor(target.nearly_secrets)
    entries = [entry_of(exchange, target, redact) for exchange in exchanges]
    creator = {"name": "hostup-conformance", "version": __version__}
    har = {"log": {"version": "1.2", "creator": creator, "entries": entries}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(har, ensure_ascii=False, indent=1), encoding="utf-8", errors="backslashreplace")


def entry_of(e: Exchange, target: Target, redact: Redactor) -> dict[str, Any]:
    """Return an exchange as an entry."""
    answer = e.answer
    return {
        "startedDateTime": (e.when or datetime.now(UTC)).isoformat(),
        "time": round(e.seconds * 1000, 3),
        "request": {
            "method": e.request.method,
            "url": redact(target.base_url + e.request.target),
            "httpVersion": "HTTP/1.1",
            "headers": [recorded_header(name, value, e, redact) for name, value in e.request.headers],
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": len(e.request.body),
        },
        "response": {
            "status": answer.status if answer else 0,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": redact(value)} for name, value in answer.headers] if answer else [],
            "cookies": [],
            "content": content_of(answer, redact),
            "redirectURL": redact(answer.header("location") or "") if answer else "",
            "headersSize": -1,
            "bodySize": len(answer.body) if answer else -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": round(e.seconds * 1000, 3), "receive": 0},
        # A failure may quote what the server sent.
        "comment": e.purpose if answer else redact(f"{e.purpose}: {e.failure}"),
    }


def recorded_header(name: str, value: str, e: Exchange, redact: Redactor) -> dict[str, str]:
    """Return a header of a request; of a credential only which of the keys it was."""
    if name.lower() == "authorization":
        scheme, _, _ = value.rpartition(" ")
        mark = PLACEHOLDERS.get(e.ask.credential, MARK)
        value = f"{scheme} {mark}".strip()
    return {"name": name, "value": redact(value)}


def content_of(answer: Answer | None, redact: Redactor) -> dict[str, Any]:
    """Return the body of an answer, as text where it is text."""
    if answer is None:
        return {"size": 0, "mimeType": ""}
    mime_type = answer.header("content-type") or ""
    try:
        return {"size": len(answer.body), "mimeType": mime_type, "text": redact(answer.body.decode("utf-8"))}
    except UnicodeDecodeError:
        # Keys are ASCII: they can be found in any encoding that holds ASCII as it is.
        body = redact(answer.body.decode("latin-1")).encode("latin-1")
        return {"size": len(body), "mimeType": mime_type, "text": b64encode(body).decode(), "encoding": "base64"}
