"""The report as junit.xml, for CI systems: a test case for each requirement, a class for each area."""

from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

from hostup_conformance.reports.figures import numbers

SUITE = "hostup-conformance"


def render(record: dict[str, Any]) -> str:
    """Return the text of junit.xml."""
    counts = record["summary"]
    suite = ET.Element(
        "testsuite",
        name=SUITE,
        tests=str(len(record["requirements"])),
        failures=str(counts["fail"]),
        errors=str(counts["error"]),
        skipped=str(counts["skip"] + counts["disabled"]),
        time=str(record["duration_seconds"]),
        timestamp=record["started"],
    )
    seconds = times(record)
    for entry in record["requirements"]:
        suite.append(case(entry, seconds[entry["id"]]))
    suites = ET.Element("testsuites", name=SUITE)
    suites.append(suite)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True)


def times(record: dict[str, Any]) -> dict[str, float]:
    """Return the seconds of each requirement: its share of the exchanges that it judges, so that none counts twice."""
    judging = {entry["id"]: list(numbers(entry.get("judged_on", ""))) for entry in record["requirements"]}
    judges = Counter(number for judged in judging.values() for number in judged)
    share = {
        e["number"]: e["seconds"] / judges[e["number"]] for e in record.get("exchanges", ()) if judges[e["number"]]
    }
    return {id: sum(share.get(number, 0.0) for number in found) for id, found in judging.items()}


def case(entry: dict[str, Any], seconds: float) -> ET.Element:
    """Return the test case of a requirement; its properties include the status, for which JUnit has fewer words."""
    area = entry["id"].partition("-")[0]
    element = ET.Element("testcase", classname=f"{SUITE}.{area}", name=f"{entry['id']} {entry['title']}")
    element.set("time", f"{seconds:.4f}")
    properties = ET.SubElement(element, "properties")
    for name in ("level", "status", "source"):
        ET.SubElement(properties, "property", name=name, value=entry[name])
    outcome = {"fail": "failure", "error": "error", "skip": "skipped", "disabled": "skipped"}.get(entry["status"])
    if outcome:
        ET.SubElement(element, outcome, message=entry["message"]).text = text(entry)
    elif entry["message"]:
        ET.SubElement(element, "system-out").text = f"{entry['status']}: {entry['message']}"
    return element


def text(entry: dict[str, Any]) -> str | None:
    """Return the findings with the requests that show them; None if there are none."""
    return "\n".join(map(finding, entry["evidence"])) or None


def finding(shown: dict[str, Any]) -> str:
    """Return a finding with what to know of its request, and the request."""
    return "\n  ".join(filter(None, (shown["message"], shown.get("note"), shown["curl"])))
