"""The process beside a run, the only one that imports schemathesis and hypothesis. `schemathesis_client` asks it.

It reads a line of JSON for each question, and writes one with the answer. Before that, it may write requests that the
answer depends on, and reads what came of each.
"""

import json
import sys
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from typing import Any

import httpx
import hypothesis
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema

#: Makes the cases the same in each run, however long a response takes.
REPEATABLE = hypothesis.settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
#: A response is to one of these, as schemathesis expects.
ASKED = httpx.Request("GET", "http://127.0.0.1")


class Schemathesis:
    """An OpenAPI document as schemathesis reads it. Each public method answers a question.

    `send` sends a case as the run's own request, and returns the status and the JSON that came.
    """

    def __init__(self, document: dict[str, Any], operation: str, *, send: Callable[[Any], dict[str, Any]]) -> None:
        # A schemathesis.toml in this folder, or above it, is meant for a project of the user's.
        schema: OpenApiSchema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
        self._get, self._send = schema.find_operation_by_id(operation), send
        self._operations = schema.include(path=self._get.path)

    def cases(self, most: int) -> list[dict[str, Any]]:
        """Return up to so many requests that the document allows, each before one that it does not."""
        made = [self._made(mode, most) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
        return [plain(case) for case in chain.from_iterable(zip(*made, strict=False))]

    def _made(self, mode: GenerationMode, most: int) -> list[schemathesis.Case[Any]]:
        made: list[schemathesis.Case[Any]] = []

        @hypothesis.settings(REPEATABLE, max_examples=most)
        @hypothesis.given(case=self._get.as_strategy(generation_mode=mode))
        def make(case: schemathesis.Case[Any]) -> None:
            made.append(case)

        make()
        return made

    def note(self, status: int, headers: list[tuple[str, str]], body: str, seconds: float) -> str | None:
        """Return what schemathesis finds wrong with the form of a response (its body in base64); None if nothing."""
        fields = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
        response = httpx.Response(status, headers=fields, content=b64decode(body), request=ASKED)
        response.elapsed = timedelta(seconds=seconds)
        try:
            self._get.validate_response(response)
        except Failure as failure:
            return failure.title
        except FailureGroup as failures:
            return next((failure.title for failure in failures.exceptions if isinstance(failure, Failure)), None)
        return None

    def links(self, scenarios: int, steps: int) -> None:
        """Follow the document's link from a start to the polls of its pid: schemathesis decides on the order."""

        def call(_machine: object, case: schemathesis.Case[Any], **_: object) -> Response:
            came = self._send(plain(case))
            response = httpx.Response(came["status"], json=came["json"], request=ASKED)
            response.elapsed = timedelta(0)
            return Response.from_httpx(response, verify=True)

        def leave_it_to_the_rules(*_: object, **__: object) -> None:
            """Judge nothing, since the rules judge every exchange."""

        overrides = {"call": call, "validate_response": leave_it_to_the_rules}
        workflow: Any = type("Workflow", (self._operations.as_state_machine(),), overrides)
        workflow.run(settings=hypothesis.settings(REPEATABLE, max_examples=scenarios, stateful_step_count=steps))


def plain(case: schemathesis.Case[Any]) -> dict[str, Any]:
    """Return what is asked for in a case; schemathesis gives path parameters percent-encoded."""
    return {
        "method": case.method.upper(),
        "positive": case.meta is None or case.meta.generation.mode.is_positive,
        "vps": str((case.path_parameters or {}).get("id", "")),
        "query": dict(case.query or {}),
    }


def main() -> None:
    """Answer questions until there are no more."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer  # in whatever encoding the environment orders for text
    sys.stdout = sys.stderr  # what a library prints is no answer

    def heard() -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(questions.readline() or sys.exit())
        return asked

    def say(words: dict[str, Any]) -> None:
        answers.write(json.dumps(words, default=str).encode() + b"\n")
        answers.flush()

    def send(case: dict[str, Any]) -> dict[str, Any]:
        say({"send": case})
        return heard()

    known = Schemathesis(**heard(), send=send)
    while question := heard():
        try:
            answer = {"answer": getattr(known, question["what"])(**question["about"])}
        except Exception as error:  # some responses are stranger than schemathesis expects
            answer = {"failed": type(error).__name__}
        say(answer)


if __name__ == "__main__":
    main()
