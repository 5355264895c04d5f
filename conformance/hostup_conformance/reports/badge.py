"""The report as badge.svg: the verdict, the version of the contract, and the date, for a README or a dashboard."""

from typing import Any
from xml.etree import ElementTree as ET

from hostup_conformance.reports import figures

#: The colour of each verdict, on which white text can be read.
COLOURS = {"conformant": "#1a7f4b", "not_conformant": "#b4232d", "not_demonstrated": "#8a5a00"}
LEFT, HEIGHT = "#444b54", 20
#: About how wide a character is in units of the drawing, and the space at both ends. The text is fitted to its place.
CHARACTER, MARGIN = 6.4, 8


def render(record: dict[str, Any]) -> str:
    """Return the text of badge.svg."""
    about = f"guest-agent API {record['spec']['version']}"
    verdict = f"{record['verdict'].replace('_', ' ')}{figures.about(record)}, {record['started'][:10]}"
    widths = [round(CHARACTER * len(text)) + 2 * MARGIN for text in (about, verdict)]
    title = f"hostup-conformance: {about}, {verdict}"
    drawing = ET.Element(
        "svg", xmlns="http://www.w3.org/2000/svg", width=str(sum(widths)), height=str(HEIGHT), role="img"
    )
    ET.SubElement(drawing, "title").text = title
    place = 0
    for text, width, colour in zip((about, verdict), widths, (LEFT, COLOURS[record["verdict"]]), strict=True):
        ET.SubElement(drawing, "rect", x=str(place), width=str(width), height=str(HEIGHT), fill=colour)
        words = ET.SubElement(
            drawing, "text", x=str(place + MARGIN), y="14", fill="#fff", textLength=str(width - 2 * MARGIN)
        )
        words.set("font-family", "Verdana, DejaVu Sans, sans-serif")
        words.set("font-size", "11")
        words.text = text
        place += width
    return ET.tostring(drawing, encoding="unicode") + "\n"
