"""Makes the client from the document: `python spec/client/generate.py --output FOLDER`, which `make generate` calls.

openapi-python-client reads the document and renders the templates beside this file. What it does not tell templates
(raw schemas, extensions of operations) is added here, and what the client cannot do is refused with a message.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.schema.untrusted_string import UntrustedString

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "openapi.yaml"
#: Arguments that functions of the client have of their own.
RESERVED = {"body", "check", "client", "headers", "interval", "on_progress", "on_start", "timeout"}


class Refused(Exception):
    """The client cannot be made from this document. The message says why, and names the remedy."""


def refuse(reason: str) -> NoReturn:
    """Refuse the document, from a template."""
    raise Refused(reason)


@dataclass
class Facts:
    """What the document says of an operation beyond what openapi-python-client tells.

    Args:
        raw: the operation, with its references resolved
        extensions: those of its successful responses
        limits: the schema of each parameter by its name
    """

    raw: dict[str, Any]
    extensions: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def run(self) -> dict[str, Any]:
        """The link with ``x-run``: the operation starts a command that the linked one polls."""
        links = self.extensions.get("links", {}).values()
        return next((link for link in links if "x-run" in link), {})


def _resolved(node: Any, document: dict[str, Any]) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        found: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def _facts(endpoint: Any, document: dict[str, Any]) -> Facts:
    path = document["paths"][endpoint.path]
    raw = path[endpoint.method.lower()]
    facts = Facts(raw)
    for status, response in raw["responses"].items():
        if str(status).startswith("2"):
            facts.extensions |= _resolved(response, document)
    given = [_resolved(parameter, document) for parameter in [*path.get("parameters", []), *raw.get("parameters", [])]]
    facts.limits = {parameter["name"]: _resolved(parameter.get("schema", {}), document) for parameter in given}
    texts: dict[Any, str] = {parameter["name"]: parameter.get("description", "") for parameter in given}
    for one in endpoint.list_all_parameters():
        if not one.description and texts.get(one.name):
            object.__setattr__(one, "description", UntrustedString(texts[one.name]))
    return facts


def _prepare(endpoint: Any, config: Config) -> None:
    """Give way to the client's own arguments, and refuse what it does not send."""
    named = f"{endpoint.method.upper()} {endpoint.path.get_untrusted_value()}"
    for cookie in endpoint.cookie_parameters:
        raise Refused(f"{named}: the client sends no cookie parameters; leave {cookie.python_name} out")
    if len(endpoint.bodies) > 1 or any(body.body_type != "json" for body in endpoint.bodies):
        raise Refused(f"{named}: the client sends bodies of application/json alone")
    places = {
        "path": endpoint.path_parameters,
        "query": endpoint.query_parameters,
        "header": endpoint.header_parameters,
    }
    for place, parameters in places.items():
        for parameter in parameters:
            if str(parameter.python_name) in RESERVED:
                renamed = UntrustedString(f"{parameter.python_name}_{place}")
                parameter.set_python_name(renamed, config=config)
                told = f"{parameter.name.get_untrusted_value()} in the {place} is called {parameter.python_name}"
                print(f"{named}: {told}, since the client has an argument of that name", file=sys.stderr)


def _statuses(document: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Collect the documented errors: ``x-error`` of a response names its exception."""
    found: dict[int, dict[str, Any]] = {}
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation.get("responses", {}).items() if isinstance(operation, dict) else ():
                resolved = _resolved(response, document)
                if "x-error" in resolved:
                    found.setdefault(int(status), resolved)
    return dict(sorted(found.items()))


def generate(document: Path, output: Path) -> None:
    """Write the client.

    Raises:
        Refused: it cannot be made from this document
    """
    raw: dict[str, Any] = yaml.safe_load(document.read_text("utf-8"))
    config = Config.from_sources(
        ConfigFile.load_from_path(HERE / "config.yaml"), MetaType.NONE, document, "utf-8", False, output
    )
    data = GeneratorData.from_dict(raw, config=config)
    if isinstance(data, GeneratorError):
        raise Refused(f"{data.header}: {data.detail}")
    project = Project(openapi=data, config=config, custom_template_path=HERE / "templates")
    endpoints = [one for collection in data.endpoint_collections_by_tag.values() for one in collection.endpoints]
    for endpoint in endpoints:
        _prepare(endpoint, config)
    facts = {endpoint.name: _facts(endpoint, raw) for endpoint in endpoints}
    statuses = _statuses(raw)
    schemas = raw.get("components", {}).get("schemas", {})
    problem = next((name for name, schema in schemas.items() if schema.get("x-problem")), None)
    access = next((response["x-access"] for response in statuses.values() if "x-access" in response), None)
    if problem is None or access is None:
        raise Refused("the client needs a schema with x-problem, and a response with x-error and x-access")
    project.env.globals.update(
        refuse=refuse, facts=facts, statuses=statuses, schemas=schemas, problem=problem, access=access
    )
    # The generator renders no file that it does not know.
    main = project.env.get_template("main.py.jinja").render()
    output.mkdir(parents=True)
    (output / "__main__.py").write_text(main, "utf-8")
    (output / "py.typed").touch()
    config.overwrite = True
    if problems := project.build():
        raise Refused("\n".join(f"{one.header or ''} {one.detail or ''}".strip() for one in problems))


def main() -> None:
    """Read the arguments, and write the client or say why not."""
    parser = argparse.ArgumentParser(description="Makes the client from the document.")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    try:
        generate(given.document, given.output.resolve())
    except Refused as refused:
        sys.exit(f"the client was not made: {refused}")


if __name__ == "__main__":
    main()
