"""report.html is complete, self-contained, safe whatever a server sent, and works in a browser."""

import copy
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from catalogue import first_of
from hostup_conformance.judging.ledger import requirements
from hostup_conformance.reports.figures import mends
from hostup_conformance.reports.files import REPORTS, write_reports
from hostup_conformance.reports.html import place_of, render

HOSTILE = "</script></pre><img src=x onerror=alert(1)><script>console.error('broken out')</script>\" onfocus='x'"
STATUS = {"POLL-01": "fail", "POLL-02": "fail", "PROBE-06": "warn", "AUTH-01": "skip", "RATE-01": "disabled"}


def a_report() -> dict[str, Any]:
    """Two fails and a warn, with everything in them that a server can choose being hostile."""
    evidence = {
        "number": 2,
        "alike": 4,
        "curl": f"curl -i 'http://127.0.0.1:1/{HOSTILE}'",
        "purpose": "the poll",
        "status": 200,
        "headers": {HOSTILE: HOSTILE},
        "body": HOSTILE,
        "expected": "the member exited",
        "got": HOSTILE,
        "message": HOSTILE,
    }
    without_response = evidence | {"status": None, "headers": {}, "body": "the server closed the connection"}
    entries = [
        {
            "id": requirement.id,
            "level": requirement.level,
            "title": requirement.title,
            "source": requirement.source,
            "statement": requirement.statement,
            "why": requirement.why,
            "status": (status := STATUS.get(requirement.id, "pass")),
            "exercised": 3,
            "judged_on": "1-3" if requirement.id.startswith("POLL") else "",
            "message": "" if status == "pass" else HOSTILE,
            "findings": 12 if status in {"fail", "warn"} else 0,
            "evidence": [evidence, without_response] if status in {"fail", "warn"} else [],
        }
        for requirement in requirements().values()
    ]
    statuses = [entry["status"] for entry in entries]
    every = ("pass", "fail", "warn", "observe", "skip", "disabled", "error")
    return {
        "verdict": "not_conformant",
        "target": {"base_url": f"https://api.example/{HOSTILE}", "kind": "server", "profile": "full"},
        "spec": {"version": "1.0.0", "sha256": "0" * 64},
        "suite_version": "1.0.0",
        "started": "2026-11-25T12:40:30.123+00:00",
        "duration_seconds": 3.412,
        "requests": 171,
        "methods": {"GET": 168, "OPTIONS": 3},
        "stopped": None,
        "refused": None,
        "ignored": 0,
        "judged": {"requirements": 126, "of": 157},
        "unjudged": [],
        "doubt": None,
        "scope": "judged 126 of 157 MUSTs and SHOULDs",
        "summary": {status: statuses.count(status) for status in every},
        "requirements": entries,
        "exchanges": [exchange(number) for number in (1, 2, 3)],
    }


def exchange(number: int, **members: Any) -> dict[str, Any]:
    """An exchange of a record, a second after the one before it; the second one is what POLL-01 and POLL-02 find."""
    return {
        "number": number,
        "request": f"GET /api/v2/vps/vps_1/{HOSTILE}",
        "sent": HOSTILE,
        "status": 200,
        "failure": None,
        "body": HOSTILE,
        "began": number - 1.0,
        "seconds": 0.01,
        "asks_to_wait": None,
        "purpose": HOSTILE,
        "story": "pid 4242",
        "found": ["POLL-01", "POLL-02"] if number == 2 else [],
        **members,
    }


class Page(HTMLParser):
    """The elements and attributes of a page, and the text of its requirements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def rows(self) -> dict[str, bool]:
        """Each requirement's row, and whether it is shown."""
        found = [a for tag, a in self.elements if tag == "li" and a.get("class") == "requirement"]
        return {str(a["id"]): "hidden" not in a for a in found}


def test_every_requirement_has_a_row() -> None:
    page = Page(render(a_report()))
    assert page.rows().keys() == requirements().keys()
    assert len(page.rows()) == len(requirements())
    for requirement in requirements().values():
        assert requirement.statement in page.text
        assert requirement.why in page.text


def test_what_a_server_sent_is_text() -> None:
    page = Page(render(a_report()))
    tags = [tag for tag, _ in page.elements]
    assert "img" not in tags
    assert tags.count("script") == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) > 10


def test_the_page_needs_nothing_else() -> None:
    text = render(a_report())
    loading = [a.get("src") or a.get("href") for _, a in Page(text).elements if "src" in a or "href" in a]
    assert [address for address in loading if not str(address).startswith("#")] == []
    style = re.search("<style>(.*?)</style>", text, re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    policy = next(str(a["content"]) for _, a in Page(text).elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_every_link_leads_somewhere() -> None:
    page = Page(render(a_report()))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = {str(a["href"])[1:] for tag, a in page.elements if tag == "a"}
    assert {link for link in links if not link.startswith("status=")} <= set(ids)


def test_requests_that_are_named_can_be_reached() -> None:
    report = a_report()
    report["requirements"][0] |= {"message": "as in request 3 and request 37 </p>", "status": "fail"}
    text = render(report)
    assert 'as in <a href="#request-3">request 3</a> and request 37 &lt;/p&gt;' in text
    assert text.count('id="request-3"') == 1


def test_a_request_names_what_judges_it() -> None:
    text = render(a_report())
    request = text[text.index('id="request-1"') :].partition("</li>")[0]
    assert "judged by POLL-01, POLL-02, POLL-03" in request
    assert re.search(r" and \d+ more</span>", request)


def test_what_is_alike_stands_once() -> None:
    text = render(a_report())
    assert "and 4 more like it" in text
    assert "and 2 more findings" in text  # of twelve, two with four more each are shown


def test_the_figures_are_those_of_the_record() -> None:
    page = render(a_report() | {"scope": "judged 126 of 157 MUSTs and SHOULDs"})
    assert "Judged 126 of 157 MUSTs and SHOULDs." in page


def test_the_broken_come_first_in_map_and_list() -> None:
    page = Page(render(a_report()))
    for kind in ("tile", "area"):
        first = next(a for _, a in page.elements if str(a.get("class")).split()[0] == kind)
        assert (first.get("href") or first.get("data-area")) in {"#POLL-01", "POLL"}
    opened = {str(a["data-area"]) for _, a in page.elements if "data-area" in a and "open" in a}
    assert opened == {"POLL", "PROBE"}


def test_the_request_that_breaks_it_stands_out_in_its_story() -> None:
    story = re.search(r'<ol class="sequence">(.*?)</ol>', render(a_report()), re.S)
    assert story
    marked = [item for item in story[1].split("<li ") if 'class="fine fail"' in item]
    assert len(marked) == 1
    assert 'breaks <a href="#POLL-0' in marked[0]
    assert "990 ms later" in story[1]


def test_a_run_without_times_has_no_timeline() -> None:
    report = a_report()
    assert "When requests were sent" in render(report)
    report["exchanges"] = [exchange(1, began=None)]
    assert "When requests were sent" not in render(report)


@pytest.mark.parametrize("member", ["exchanges", None])
def test_a_report_of_four_hundred_exchanges_is_small(member: str | None) -> None:
    report = a_report() | {"exchanges": [exchange(number, story=f"pid {number % 40}") for number in range(1, 401)]}
    if member is None:
        del report["exchanges"]  # as in a record that was made before there were any
    assert len(render(report).encode()) < 1_500_000


@pytest.mark.parametrize("kind", ["server", "client"])
def test_what_can_be_clicked_has_nothing_else_to_click(kind: str) -> None:
    report = a_report()
    report["target"]["kind"] = kind
    summaries = re.findall(r"<summary.*?</summary>", render(report), re.S)
    assert len(summaries) > len(requirements())
    assert [one for one in summaries if "<a " in one or "<button" in one] == []


@pytest.mark.parametrize("verdict", ["conformant", "not_conformant", "not_demonstrated"])
def test_every_verdict_has_its_words(verdict: str) -> None:
    assert f'<header class="verdict {verdict}">' in render(a_report() | {"verdict": verdict})


def test_why_sending_ended_early_is_said() -> None:
    stopped = a_report() | {"stopped": "the budget is spent"}
    assert "the budget is spent" in render(stopped)
    recorded = stopped | {"target": {**stopped["target"], "kind": "har"}}
    assert "the budget is spent" not in render(recorded)


def test_what_was_refused_as_a_whole_is_what_to_fix() -> None:
    report = a_report() | {"refused": "the key gets 401"}
    report["requirements"] = [entry | {"status": "skip", "evidence": []} for entry in report["requirements"]]
    assert "What the notice above names" in render(report)


def test_half_of_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    report = a_report()
    report["requirements"][0]["message"] = "\ud800"
    write_reports(report, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    assert "\\ud800" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert {file.name for file in tmp_path.iterdir()} == REPORTS.keys()


def first_ids(report: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(mend.entry["id"], [entry["id"] for entry in mend.explains]) for mend in mends(report)]


def with_roots(**roots: str) -> dict[str, Any]:
    """A report in which requirements follow from others (with _ for - in their ids)."""
    explains: dict[str, list[str]] = {}
    for id, root in roots.items():
        explains.setdefault(root, []).append(id.replace("_", "-"))
    return a_report() | {"root_causes": [{"id": root, "explains": ids} for root, ids in explains.items()]}


def test_a_root_cause_stands_before_what_it_explains() -> None:
    report = with_roots(POLL_01="POLL-02", PROBE_06="POLL-02")
    assert first_ids(report) == [("POLL-02", ["POLL-01", "PROBE-06"])]
    assert re.search(r'This may explain <a href="#POLL-01">POLL-01</a>, <a href="#PROBE-06">', render(report))


def test_causes_in_a_circle_hide_nothing() -> None:
    report = with_roots(POLL_01="POLL-02", POLL_02="POLL-01")
    assert {id for id, _ in first_ids(report)} == {"POLL-01", "POLL-02", "PROBE-06"}


@pytest.mark.parametrize("root", ["POLL-07", "POLL-01"])
def test_a_cause_that_is_not_broken_hides_nothing(root: str) -> None:
    """A root cause that is not broken, or is the requirement itself, hides nothing."""
    assert len(first_ids(with_roots(POLL_01=root))) == 3


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("documentation, Responses, 200; inferred, the agent keeps it", "Responses, 200"),
        ("documentation, Response Schema, reason (optional there)", "Response Schema, reason"),
        ("documentation", "as a whole"),
    ],
)
def test_place_of_a_source(source: str, place: str) -> None:
    assert place_of(source) == place


def test_each_place_of_the_page_has_its_mark() -> None:
    text = render(a_report())
    row = re.search(r'<th scope="row">Responses, 200</th>\s*<td><span class="badge fail">failed</span>', text)
    assert row


# --- In a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)")


def browse(page: Path, profile: Path, fragment: str = "") -> tuple[Page, list[str]]:
    """Return the page as the browser has it once its script ran, and what it wrote to the console."""
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom", page.as_uri() + fragment]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return Page(ran.stdout), [line for line in ran.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The browser's own files: made once, since that takes it a second."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    write_reports(a_report(), tmp_path)
    return tmp_path / "report.html"


@in_a_browser
@pytest.mark.parametrize(
    ("fragment", "shown"),
    first_of(
        ("#area=POLL&status=fail&q=availability", {"POLL-02"}),
        ("", set(requirements())),
        ("#status=fail&status=warn", {"POLL-01", "POLL-02", "PROBE-06"}),
        ("#area=RATE&q=disabled", {"RATE-01"}),
        ("#q=no-such-words", set()),
        ("#status=nonsense&area=nonsense", set(requirements())),
        ("#%ZZ", set(requirements())),
    ),
)
def test_filters_in_the_browser(page: Path, profile: Path, fragment: str, shown: set[str]) -> None:
    dom, console = browse(page, profile, fragment)
    assert {id for id, visible in dom.rows().items() if visible} == shown
    assert console == []
    assert "img" not in [tag for tag, _ in dom.elements]
    assert f"{len(shown)} of {len(requirements())} shown" in dom.text


@in_a_browser
def test_a_link_to_a_requirement_opens_it(page: Path, profile: Path) -> None:
    dom, _ = browse(page, profile, "#POLL-02")
    at = next(i for i, (_, a) in enumerate(dom.elements) if a.get("id") == "POLL-02")
    assert dom.elements[at + 1] == ("details", {"open": ""})


@in_a_browser
def test_the_policy_holds_where_escaping_would_not(page: Path, profile: Path) -> None:
    """A script that did get into the page would be refused; and the console would be heard."""
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</main>", "<script>document.title = 'owned'</script></main>"), encoding="utf-8")
    dom, console = browse(page, profile)
    assert any("Content Security Policy" in line for line in console)
    assert "owned" not in dom.text.partition(requirements()["PROBE-01"].title)[0]


def test_the_report_is_only_read() -> None:
    report = a_report()
    before = copy.deepcopy(report)
    render(report)
    assert report == before
