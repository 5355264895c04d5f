"""Which sections of the endpoint's documentation have changed since the contract was written: `make page PAGE=file`.

The file is the documentation as it is saved from a browser or as Markdown. `page.yaml` has a digest of what each
section said, and not its text. For each section that differs, this names what rests on it: members of the document,
requirements, rules and faults.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml
from hostup_conformance.judging.ledger import load_yaml
from hostup_conformance.keeping.files import read_plain

SPEC = Path(__file__).parent
SUITE = SPEC.parent / "conformance" / "hostup_conformance"
RECORD = SPEC / "page.yaml"
PATH = "/api/v2/vps/{id}/agent/exec"
#: In bytes. The page takes a quarter of a million, with all that a browser saves of it.
LARGEST_PAGE = 16 << 20
#: The sections whose items are told apart, and the one whose parts are status codes.
ITEMIZED, STATUSES = ("Headers", "Parameters", "Response Schema"), "Responses"
TITLE, FIRST = "title", "first paragraph"
#: How sources cite the title too.
OF_THE_TITLE = ("GET and POST", "the path", "title and Related Endpoints")
#: Elements of HTML that begin a line, and what the line begins with.
LINES = {f"h{level}": "# " for level in range(1, 7)} | dict.fromkeys(("li", "tr", "dt"), "- ")
LINES |= dict.fromkeys(("p", "div", "pre", "br", "section", "ul", "ol", "table", "dl"), "")
UNSEEN = ("script", "style", "title")


class Unusable(Exception):
    """The file cannot be compared. The message says why, and names the remedy."""


class Lines(HTMLParser):
    """The lines of a page: headings begin with #, items of lists and rows of tables with a hyphen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self._unseen = "", 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Begin a line, or a cell of a table."""
        self._unseen += tag in UNSEEN
        if tag in LINES:
            self.text += "\n" + LINES[tag]
        elif tag in {"td", "th", "dd"}:
            self.text += "\t"

    def handle_endtag(self, tag: str) -> None:
        """End a line after what has one of its own."""
        self._unseen -= tag in UNSEEN
        self.text += "\n" if tag in LINES else ""

    def handle_data(self, data: str) -> None:
        """Add text to the line, without line ends, and without what would make a heading of it."""
        self.text += "" if self._unseen else re.sub(r"[\s#]+", " ", data)


def sections(text: str) -> dict[str, str]:
    """Return the words of each section of the documentation, from HTML or Markdown; raise `Unusable` without any."""
    found: dict[str, list[str]] = {}
    name = None
    for line in lines_of(text):
        heading = line.lstrip("#").strip() if line.startswith("#") else None
        if heading and name and re.match(r"[A-Z]+ /", heading):
            break  # the next endpoint
        if heading and PATH in heading.replace("\\", ""):
            name = TITLE
        elif heading and name:
            name = f"{STATUSES}, {heading[:3]}" if re.match(r"[1-5]\d\d\b", heading) else heading
        elif name == TITLE:
            name = FIRST
        elif name and name.partition(",")[0] in ITEMIZED and line.startswith("- "):
            item = re.split(r"[:(\t]", line[2:].lstrip())[0].strip(" `*")
            name = f"{name.partition(',')[0]}, {item}"
        if name:
            found.setdefault(name, []).append(line)
    if TITLE not in found:
        raise Unusable(f"it has no heading with {PATH}; save the page of that endpoint")
    return {name: words(" ".join(lines)) for name, lines in found.items()}


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of HTML or Markdown that have words."""
    is_html = re.search(r"<(html|body|h1|h2)\b", text, re.IGNORECASE)
    fenced = False
    for line in (Lines(text).text if is_html else text).splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif words(line):
            # What begins with a number sign within a block of code is no heading.
            yield " " + line if fenced else line.strip()


def words(text: str) -> str:
    """Return the words and numbers of a text, so that it does not matter how they are marked up."""
    return " ".join(word.strip("_.") for word in re.findall(r"-?\d[\w.]*|\w+", text.casefold()) if word.strip("_"))


def digest(text: str) -> str:
    """Return a digest of a section's words."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digests(text: str) -> dict[str, str]:
    """Return the digest of each section."""
    return {name: digest(said) for name, said in sections(text).items()}


def differences(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """Return how sections differ, by their names."""
    changed = {name: "changed" for name in before if name in now and before[name] != now[name]}
    gone = {name: "gone" for name in before if name not in now}
    return changed | gone | {name: "new" for name in now if name not in before}


def cited(source: str) -> set[str]:
    """Return the sections that a requirement's source cites; a name without a part stands for all its parts."""
    found = set()
    for citation in re.findall(r"documentation, ([^;()]+)", source):
        place, _, parts = citation.strip().partition(", ")
        if place in {*ITEMIZED, "Path parameters"} and parts:
            place = place.replace("Path parameters", "Parameters")
            found |= {f"{place}, {part}" for part in re.split(r", | and ", parts)}
        elif place == STATUSES and (codes := re.findall(r"\d{3}", parts)):
            between = range(int(codes[0]), int(codes[-1]) + 1) if " to " in parts else map(int, codes)
            found |= {f"{STATUSES}, {code}" for code in between}
        else:
            found.add(
                {"GET and POST": TITLE, "the path": TITLE, "title and Related Endpoints": TITLE}.get(place, place)
            )
    return found


def rests_on(section: str, source: str) -> bool:
    """Whether a requirement with this source rests on a section."""
    return bool({section, section.partition(",")[0]} & cited(source))


def members(section: str) -> list[str]:
    """Return what in the OpenAPI document says the same as a section."""
    document = load_yaml((SPEC / "openapi.yaml").read_bytes())
    operation = document["paths"][PATH]["get"]
    place, _, part = section.partition(", ")
    if place == "Response Schema":
        properties = document["components"]["schemas"]["AgentAvailability"]["properties"]
        return [f"AgentAvailability.{part}"] if part in properties else ["AgentAvailability"]
    if place == STATUSES:
        return [f"GET response {part}, and its example"] if part in map(str, operation["responses"]) else []
    if place == "Parameters":
        return [f"GET parameter {part}"]
    return {"Headers": ["GET security"], TITLE: [f"the path {PATH}"], FIRST: ["GET description"]}.get(place, [])


def place_of_rule(id: str) -> str:
    """Return the file and line of the rule of a requirement."""
    for folder in ("contract/rules", "clients/rules"):
        for file in sorted((SUITE / folder).glob("*.py")):
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                if re.match(rf'(@\w.*|    )"{id}"', line):
                    return f"{file.relative_to(SPEC.parent)}:{number}"
    return "its rule"


def faults_of(id: str) -> list[str]:
    """Return the faults of the catalogues that break a requirement."""
    found = []
    for file in (SUITE / "contract" / "kill_matrix.json", SUITE / "clients" / "kill_matrix.json"):
        matrix: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8"))
        kinds = (matrix.get("faults", {}), matrix.get("clients", {}))
        found += [name for kind in kinds for name, fault in kind.items() if fault.get("requirement") == id]
    return found


def report(changes: dict[str, str]) -> Iterator[str]:
    """Yield the lines about sections that differ, and about what rests on them."""
    ledger = load_yaml((SPEC / "requirements.yaml").read_bytes())
    for section, how in changes.items():
        yield f"{section}: {how}"
        yield from (f"  document     {member}" for member in members(section))
        for entry in ledger:
            if rests_on(section, entry["source"]):
                yield f"  {entry['id']:12} {entry['title']}"
                yield f"  {'':12} {place_of_rule(entry['id'])}; faults: {', '.join(faults_of(entry['id'])) or 'none'}"


def main() -> int:
    """Compare a saved page with the record, or record it; return 1 if a section differs, and 2 for another file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--record", action="store_true", help="take the page as what the contract says now")
    arguments = parser.parse_args()
    try:
        now = digests(read_plain(arguments.page, LARGEST_PAGE).decode("utf-8").replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError, Unusable) as error:
        why = f"{error.strerror}; give the file of the saved page" if isinstance(error, OSError) else error
        print(f"PAGE={arguments.page}: {why}", file=sys.stderr)
        return 2
    if arguments.record:
        RECORD.write_text(HEAD + yaml.safe_dump(now, sort_keys=False), encoding="utf-8")
        return 0
    changes = differences(load_yaml(RECORD.read_bytes()), now)
    print("\n".join(report(changes)) if changes else f"all {len(now)} sections say what they said")
    return 1 if changes else 0


HEAD = """\
# What each section of the endpoint's documentation said when the contract was written: digests of its words, made and
# compared by page.py (`make page PAGE=file`), which takes a page for what the contract says if --record is given.
"""

if __name__ == "__main__":
    sys.exit(main())
