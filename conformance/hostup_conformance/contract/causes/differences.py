"""How a text that came differs from the one that was sent, in words. It knows no commands, and judges nothing."""

from collections.abc import Callable, Sequence
from itertools import accumulate, product

from hostup_conformance.keeping.safe_text import short_json

#: Where two texts are the same again after a difference of so many characters at most, so many are the same; and so
#: many differences are looked at.
APART, AGAIN, PLACES = 24, 6, 1000
#: What may be lost and come until two texts are the same again, the least first.
GAPS = sorted(product(range(APART), range(APART)), key=lambda gap: (sum(gap), abs(gap[0] - gap[1]), gap[1]))[1:]
#: How many bytes a block has at least.
SMALLEST = 16
#: From how many characters on a text is not shown whole.
LONG = 60
#: What stands for a character that was cut.
TORN = "\ufffd"
#: More lines than that are counted.
MANY_LINES = 9
#: How long what stands for a part of a text may be.
MARKER = 64


def beginning_of(text: str) -> str:
    """Return a text, or its beginning, for a finding."""
    return short_json(text[:LONG], LONG) + "..." * (len(text) > LONG)


def alike(one: str, other: str, at: int = 0, there: int = 0) -> int:
    """Return how many characters of two texts are the same from two places on."""
    length, most, size = 0, min(len(one) - at, len(other) - there), 1 << 12
    while size:
        same = one[at + length : at + length + size] == other[there + length : there + length + size]
        length, size = (length + size, size) if same and length + size <= most else (length, size // 2)
    return length


def differences(sent: str, came: str) -> tuple[list[tuple[int, str, str]], bool]:
    """Return where texts differ, with what was lost and what came instead, and whether they end alike after that."""
    found: list[tuple[int, str, str]] = []
    at = there = 0
    while len(found) < PLACES:
        same = alike(sent, came, at, there)
        at, there = at + same, there + same
        if at == len(sent) and there == len(came):
            return found, True
        near = sent[at : at + APART + AGAIN], came[there : there + APART + AGAIN]
        lost, new = next((gap for gap in GAPS if ends_after(gap, *near)), (APART, APART))
        found.append((at, near[0][:lost], near[1][:new]))
        if (lost, new) == (APART, APART):
            break
        at, there = at + lost, there + new
    return found, False


def ends_after(gap: tuple[int, int], lost: str, new: str) -> bool:
    """Whether texts are the same again after so many characters of each."""
    return lost[gap[0] : gap[0] + AGAIN] == new[gap[1] : gap[1] + AGAIN]


def difference(sent: str, came: str) -> str | None:
    """Return how a text differs from what was written, as far as a few words can say it; None if it is another."""
    alike_at_all = alike(sent, came) or alike(sent[::-1], came[::-1])
    return rearranged(sent, came) or (in_places(sent, came) if alike_at_all else None)


def rearranged(sent: str, came: str) -> str | None:
    """Return which part of a text came, if only one did, or if parts came twice, with others or in another order."""
    if not (sent and came):
        return None
    at, rest = alike(sent, came), alike(sent[::-1], came[::-1])
    return next((words for change in CHANGES if (words := change(sent, came, at, rest))), None)


def a_part(sent: str, came: str, at: int, rest: int) -> str | None:
    """Only the beginning or the end of a text came; it may have been torn within a character."""
    if at and at >= len(came.rstrip(TORN)):
        torn = ", and ends within one" if at < len(came) else ""
        lines = in_lines(sent[:at]) if sent[:at].endswith("\n") else ""
        which = "" if min(at, rest) >= len(came) else "the first "  # what repeats itself does not tell
        return f"that is only {which}{at:,} of {len(sent):,} characters{lines}{torn}{before_what(sent, at)}"
    if rest and rest >= len(came.lstrip(TORN)):
        lines = in_lines(sent[-rest:]) if sent[:-rest].endswith("\n") else ""
        return f"that is only the last {rest:,} of {len(sent):,} characters{lines}"
    return None


def more(sent: str, came: str, at: int, rest: int) -> str | None:
    """A text came several times, or a part of it did, or something before or after it."""
    size = len(came) - len(sent)
    if size <= 0:
        return None
    lines, line = came.strip("\n").split("\n"), sent.strip("\n")
    if came == sent * (times := len(came) // len(sent)) or (lines == [line] * (times := len(lines))):
        return f"that comes {times} times"
    if at + rest >= len(sent) and sent.startswith(new := came[at : at + size], max(at - size, 0)):
        return f"in which {len(new):,} characters come twice{after(at - size)}"
    if at == len(sent):
        return f"that is whole, but goes on with {beginning_of(came[at:])}"
    return f"that is whole, but begins with {beginning_of(came[:size])}" if rest == len(sent) else None


def less(sent: str, came: str, at: int, rest: int) -> str | None:
    """A part of a text is missing, and perhaps something stands for it."""
    gone, new = len(sent) - at - rest, len(came) - at - rest
    if len(came) < len(sent) and new <= 0:
        size = len(sent) - len(came)
        lost = short_json(sent[at : at + size], APART) if size < APART // 2 else f"{size:,} of {len(sent):,} characters"
        return f"without {lost}{after(at)}"
    if at and rest and 0 < new <= MARKER < gone:
        return f"with {short_json(came[at : at + new], MARKER)} instead of {gone:,} characters{after(at)}"
    return None


def moved(sent: str, came: str, at: int, _rest: int) -> str | None:
    """The characters of a text came in another order."""
    if len(sent) != len(came) or sorted(sent) != sorted(came):
        return None
    if came in sent + sent:
        return f"in another order: the first {(sent + sent).index(came):,} characters come last"
    return f"with the same {len(sent):,} characters in another order{after(at)}"


#: What may have become of the parts of a text, by how much of it came at the beginning and at the end.
CHANGES: tuple[Callable[[str, str, int, int], str | None], ...] = (a_part, more, less, moved)


def in_lines(part: str) -> str:
    """Return how many lines a part has that was cut at their border, if they are more than a few."""
    number = len(part.splitlines())
    return f", which are {number:,} lines" if number > MANY_LINES else ""


def before_what(sent: str, at: int) -> str:
    """Return before which character a text ends, if it is an odd one that has not come before."""
    odd = sent[at : at + 1]
    return f", up to the first {short_json(odd, 8)}" if odd and not (" " <= odd <= "~") and odd not in sent[:at] else ""


def after(at: int) -> str:
    """Return where something begins, unless that is the beginning."""
    return f", after the first {at:,}" if at else ""


def in_places(sent: str, came: str) -> str:
    """Return what stands in a text instead of what was written, and in how many places."""
    found, to_the_end = differences(sent, came)
    at, lost, new = found[0]
    here = "U+FFFD" if set(new) == {"\ufffd"} else short_json(new, 30)
    gone = short_json(lost, 30)
    instead = f"with {here} {f'instead of {gone}' if lost else 'more'}" if new else f"without {gone}"
    if not to_the_end and len(found) == 1:
        return f"that is the same up to character {at:,} of {len(sent):,}, but then goes on {instead}"
    places = f", and so in {len(found)} places" if len(found) > 1 else ""
    if len(found) > 1 and (size := block_of(sent, found)):
        return f"{instead}{places}: wherever a block of {size:,} bytes ends within a character"
    # Other characters of its kind are whole, so those at hand can be read.
    torn = here == "U+FFFD" and len(found) == 1 and len(lost) == 1 < sent.count(lost)
    why = ": what came in parts was decoded part by part, it seems" if torn else ""
    return f"{instead}{after(at)}{places}{why}"


def block_of(sent: str, found: Sequence[tuple[int, str, str]]) -> int | None:
    """Return how many bytes a block has, if texts differ in the characters on borders of blocks, and nowhere else."""
    begins = [0, *accumulate(len(c.encode()) for c in sent)]
    places = [(begins[at], begins[at + len(lost)]) for at, lost, _ in found if not lost.isascii()]
    within = set(range(begins[-1])) - {*begins}
    for size in range(SMALLEST, places[0][1]) if len(places) == len(found) else ():
        borders = [border for border in range(size, begins[-1], size) if border in within]
        if len(borders) == len(places) and all(a < at < b for at, (a, b) in zip(borders, places, strict=True)):
            return size
    return None
