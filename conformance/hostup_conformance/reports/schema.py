"""The form of report.json: its version and JSON Schema, and the reading of such a file."""

import errno
import json
import os
from pathlib import Path
from typing import Any

from hostup_conformance.http.json_text import DEEPEST, bytes_in_memory, is_deeper, schema_errors
from hostup_conformance.keeping.files import read_plain
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.safe_text import shown

#: The version of the form, which changes if readers of the old form would fail. Added members do not change it.
FORMAT = 3
SCHEMA = Path(__file__).with_name("report.schema.json")
#: In bytes. A report takes about 300,000.
LARGEST_FILE = 64 << 20
REMEDY = "give a report.json that a run has written"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json."""
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    return loaded


def complaint(report: Any) -> str | None:
    """Return where a value does not match the schema; None if it does."""
    import jsonschema_rs  # slow, and only needed to read a report

    for error in schema_errors(jsonschema_rs.Draft202012Validator(schema()), report, 1):
        place = "/".join(map(str, error.instance_path)) or "the report"
        return f"{shown(place)}: {shown(error.message)}"
    return None


def read(file: Path) -> dict[str, Any]:
    """Read a report; raise `Misconfigured` if the file is not one, or has another version of the form."""
    file = file / "report.json" if os.path.isdir(file) else file
    try:
        data = read_plain(file, LARGEST_FILE)
        if bytes_in_memory(data) > 2 * LARGEST_FILE:
            raise OSError(errno.EFBIG, "it is too large as text")
        report = json.loads(data)
        if is_deeper(report, DEEPEST):
            raise ValueError("nested too deeply")
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror}; {REMEDY}") from None
    except (ValueError, RecursionError):
        raise Misconfigured(f"{file}: it is not JSON; {REMEDY}") from None
    version = report.get("format") if isinstance(report, dict) else None
    if version is None:
        raise Misconfigured(f"{file}: it has no format, so it is not a report; {REMEDY}")
    if version != FORMAT:
        older = isinstance(version, int) and version < FORMAT
        remedy = "judge again with this version" if older else "use the version of the suite that has written it"
        raise Misconfigured(f"{file}: its format is {shown(version)}, and this version reads {FORMAT}; {remedy}")
    if wrong := complaint(report):
        raise Misconfigured(f"{file}: {wrong}; {REMEDY}")
    return report  # type: ignore[no-any-return]
