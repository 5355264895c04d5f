"""Faults that leak."""

from __future__ import annotations

from base64 import b64encode

from hostup_conformance.mock import API_KEY
from stage import Answered, Asked

from faults import trips


@trips("SAFETY-01")
def key_in_a_header(asked: Asked, answered: Answered) -> None:
    """The key comes back in a header."""
    if asked.token == API_KEY:
        answered.header("X-Debug-Auth", f"Bearer {asked.token}")


@trips("SAFETY-01")
def key_in_a_problem(asked: Asked, answered: Answered) -> None:
    """A problem repeats the wrong credential."""
    if answered.status == 401 and answered.is_problem:
        answered.change(detail=f"The key {asked.token} is not known.")


@trips("SAFETY-01")
def key_in_base64(_asked: Asked, answered: Answered) -> None:
    """A cookie contains the key in base64."""
    answered.header("Set-Cookie", "who=" + b64encode(b"key:" + API_KEY.encode()).decode())


@trips("SAFETY-02")
def stack_trace(_asked: Asked, answered: Answered) -> None:
    """A 404 shows a stack trace."""
    if answered.status == 404 and answered.is_problem:
        answered.change(stack="Error: none\n    at find (/srv/app/node_modules/vps/index.js:10:15)")


@trips("SAFETY-02")
def trace_in_the_detail(_asked: Asked, answered: Answered) -> None:
    """A 400 shows a Python trace."""
    if answered.status == 400 and answered.is_problem:
        answered.change(detail='Traceback (most recent call last):\n  File "/app/main.py", line 3, in poll')


@trips("SAFETY-03")
def output_in_the_refusal(asked: Asked, answered: Answered) -> None:
    """The 403 for a key with read:vm alone contains the output."""
    if answered.status == 403 and asked.reading and answered.is_problem:
        answered.change(extensions={"last": {"stdout": "root:x:0:0\n"}})


@trips("SAFETY-04")
def every_origin_with_credentials(asked: Asked, answered: Answered) -> None:
    """Any Origin is allowed, with credentials."""
    if "origin" in asked.headers:
        answered.header("Access-Control-Allow-Origin", asked.headers["origin"])
        answered.header("Access-Control-Allow-Credentials", "true")


@trips("SAFETY-05")
def output_is_public(_asked: Asked, answered: Answered) -> None:
    """Any cache may keep the output of a command."""
    if answered.is_output:
        answered.header("Cache-Control", "public, max-age=60")


@trips("SAFETY-05")
def output_is_kept_by_proxies(_asked: Asked, answered: Answered) -> None:
    """Proxies may keep the output of a command for a minute."""
    if answered.is_output:
        answered.header("Cache-Control", "s-maxage=60, max-age=0")


@trips("SAFETY-02")
def exception_is_the_detail(asked: Asked, answered: Answered) -> None:
    """The detail of a 400 is the text of an exception."""
    if answered.status == 400 and answered.is_problem:
        answered.change(detail=f"invalid literal for int() with base 10: {asked.pid!r}")


@trips("SAFETY-02")
def exception_names_its_class(asked: Asked, answered: Answered) -> None:
    """The detail of a 400 is the default text of the framework."""
    if answered.status == 400 and answered.is_problem:
        answered.change(
            detail=f"Failed to convert value of type 'java.lang.String' to 'int'; For input string: {asked.pid!r}"
        )


@trips("SAFETY-02")
def reason_names_the_socket(_asked: Asked, answered: Answered) -> None:
    """The reason is the error of the server's own request to the agent."""
    if answered.is_availability and not answered.json["available"]:
        answered.change(reason="connect() to /var/run/qemu-server/100.qga failed: timeout")
