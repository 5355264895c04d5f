"""Harmless commands with known results, each of which exercises several requirements. It sends and judges nothing.

A command contains its own name and a random token, so that it is recognized in a recording too; the shortest is known
as it is. The commands need a POSIX shell (dash, bash, BusyBox) with printf, sleep, cat, wc and rm; without sleep, none
is seen to run, and without sort and uniq fewer are seen to run twice. There is one command each for cmd.exe and
PowerShell. The files that are written to the guest's temporary folder are removed.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from hostup_conformance.contract.paths import LONGEST_COMMAND

#: What runs commands in the guest. Without a shell, only `echo` and its arguments can be relied on.
Guest = Literal["posix", "cmd", "powershell", "none"]

#: Two letters of seven bytes together: every power of two from 512 to 65536 falls within one of them.
LETTERS, TIMES, ROUNDS = "€😀", 100, 147
#: How many bytes a line of the command has that prints more than a mebibyte, where many limits lie; and how many lines.
KILO, LINES = 1024, 1100
#: The commands of the guests that have no POSIX shell.
WINDOWS = ("cmd", "powershell")
#: The commands whose output is short and has no characters outside ASCII.
SHORT = ("streams", "number", "nothing", "errors", "six_kilobytes", "exit", "slow", *WINDOWS)
#: How many seconds a command takes that has to be seen running before it ends.
SLOW_SECONDS = 2.0
#: What that command prints in a guest that has no sleep, or none that takes fractions.
SLEEPLESS = "_without_sleep_"
#: The exit code with which the command ends there that has closed its streams.
SLEEPLESS_CODE = 5
#: The commands whose text says how long they sleep, and how often the one does that is never silent for long.
LASTING, STEADY_TIMES = {"slow", "closed", "steady"}, 20
#: The commands that note that they ran, so that one that ran twice is known: those with many special characters anyway.
NOTED = {"six_kilobytes", "letters", "megabyte", "input", "control", "exit_1", "exit_200", "shared"}
#: The commands that need the file that they write, of which another tells.
WRITING = {"once", "slow", "again"}
#: How a command begins that prints which of those ran that leave a trace.
LOOK = ": hostup-look-"
#: How the output of `asks_guest` begins.
GUEST_MARK = "hostup-guest-"
#: What a POSIX shell and PowerShell expand.
SUM = "$((6*7))"
#: How it ends: with that, with what cmd.exe and what PowerShell expand, and with what no POSIX shell expands in quotes.
ASKED_OF_GUEST = f"{SUM}-%OS%-$PSHOME-'$@'"
#: The same where a POSIX shell prints it.
BY_A_SHELL = "42-%OS%--$@"
#: How the end of that comes where a backslash was put before all that a shell expands.
ESCAPED = r"\$@"
#: Text that changes if it is put into a template or a pattern, or if addresses in it are replaced, as by a gateway.
PATTERNS = r"$& $1 \1 $$ {0} {{x}} ${x} {} %% %s http://localhost/ http://127.0.0.1:8080/"
#: Lines that others take for the end of something: of a part, of a message, of what a shell reads.
ENDS = "---\n===\n.\nEOF\n"
#: Control characters that a shell takes for letters.
CONTROLS = "\x01\x1b\x7f"
#: Text that changes if it is quoted, expanded, unescaped, trimmed or lower-cased, and such text.
VERBATIM = (
    """  two  blanks\tand a tab, "double" and 'single', <b>&amp;</b>, $HOME `x` %41 %2B + \\n \\u0041 \\\\ ABC """
    f"#1 ~ *?[!c] ^= {PATTERNS}  "
)

#: Made-up values of kinds that filters are known to mask: a password, a card number, an address of mail and of a host,
#: and a path.
SECRETS = ("password=hunter2", "4111111111111111", "jane.doe@example.com", "192.0.2.44", "/home/jane/a.txt")


@dataclass(frozen=True)
class Command:
    """A command and its known result."""

    name: str
    text: str
    stdout: bytes = b""
    stderr: bytes = b""
    #: None for death by a signal.
    exit_code: int | None = 0
    #: How long it runs, in seconds.
    seconds: float = 0.0
    #: Whether the streams are known to the byte; Windows adds line ends and blanks.
    exact: bool = True


#: The shortest command, which is known by its text alone.
NOTHING = Command("nothing", ":")


def asks_guest(token: str, *, few: bool = False) -> str:
    """Return a command whose output shows what runs commands in the guest; in few words, only whether a shell does."""
    return f"echo {GUEST_MARK}{token}-{SUM if few else ASKED_OF_GUEST}"


def printed_anywhere(command: str) -> str:
    """Return how the output of `asks_guest` begins in every guest; empty for any other command."""
    found = re.match(rf"echo ({GUEST_MARK}\w+-)", command)
    return found[1] if found else ""


def guest_of(token: str, stdout: object) -> Guest | None:
    """Return what printed the output of `asks_guest`; None if it is not recognized.

    Without a shell, the text is printed as it stands, with its quotes or without. What is printed with backslashes was
    read by a shell, and not as it was sent.
    """
    found = re.findall(rf"{GUEST_MARK}{re.escape(token)}-(.*)", stdout) if isinstance(stdout, str) else []
    if not found:
        return None
    text = found[-1].strip()  # a console may repeat the command before what it prints
    as_it_stands = re.sub(r"[\\']", "", text) in {SUM, ASKED_OF_GUEST.replace("'", "")}
    if re.match("42-%OS%-([A-Za-z]:|/)", text):  # where PowerShell is, as its variable says
        return "powershell"
    if text.startswith("42") or (as_it_stands and ESCAPED in text):
        return "posix"
    return "cmd" if "Windows" in text else "none" if as_it_stands else None


def catalogue(guest: Guest, token: str, slow_seconds: float = SLOW_SECONDS) -> list[Command]:
    """Return the commands for a guest."""
    if guest == "posix":
        return posix(token, slow_seconds)
    return windows(guest, token)


@lru_cache(maxsize=8)
def posix(token: str, slow_seconds: float) -> list[Command]:
    """Return the commands for a POSIX shell; those of `NOTED` note that they run."""
    noting = [noted(command, token) if command.name in NOTED else command for command in plain(token, slow_seconds)]
    return [command if command is NOTHING else tagged(command, token) for command in noting] + [
        longest(name, letter, token) for name, letter in (("longest", "x"), ("longest_in_bytes", "😀"))
    ]


def noted(command: Command, token: str) -> Command:
    """Return a command that first notes in the guest's temporary folder that it runs."""
    return replace(command, text=f"{{ echo {command.name} >> {file(token)}.ran; }} 2>&-; {command.text}")


def without_note(command: Command) -> Command:
    """Return a command that does not note that it runs."""
    return replace(command, text=re.sub(r"(; )\{ echo \w+ >> \S+\.ran; } 2>&-; ", r"\1", command.text, count=1))


def plain(token: str, slow_seconds: float) -> list[Command]:
    """Return the commands as they are before their names and the token are put before them."""
    lines = f"  first {token}\n\n  \"second\" <&> 'third'  \n{ENDS}last \nlast \n\n"
    errors = f'error {token}\n <e> & "f"  \n'
    whole = LETTERS * TIMES
    nap = f"{slow_seconds:g}"
    f, secrets = file(token), f"{' and '.join(SECRETS)} or not"
    return [
        Command("streams", f"printf %s {quoted(lines)}; printf %s {quoted(errors)} >&2",
                lines.encode(), errors.encode()),
        Command("verbatim", f"printf '[%s]' {quoted(VERBATIM)} a\\ ", f"[{VERBATIM}][a ]".encode()),
        # A shell that ends at the first failure does not reach the last line; and control characters are characters.
        Command("lines", f"printf 'A{CONTROLS}{token}'\ntest a = b\nprintf B{token}",
                f"A{CONTROLS}{token}B{token}".encode()),
        # Some languages take its output for nothing. A shell may have other options, or find no end behind the comment.
        Command("number", "hostup='0 '; false | printf %s ${hostup% }$hostup_none # the end", b"0"),
        NOTHING,
        Command("errors", "printf 'error alone å' >&2", stderr="error alone å".encode()),
        # Most of it is written at once, and the rest in small pieces after that.
        Command("six_kilobytes", f"printf 'line %025d\\n' {' '.join(map(str, range(150)))}; i=150; "
                "while [ $i -lt 200 ]; do printf 'line %025d\\n' $i; (:); i=$((i+1)); done",
                b"".join(b"line %025d\n" % i for i in range(200))),
        Command("letters", f"i=0; while [ $i -lt {ROUNDS} ]; do printf %s {whole}; i=$((i+1)); done",
                (whole * ROUNDS).encode()),
        # It writes more to standard error than fits into a pipe, which somebody has to read meanwhile.
        Command("megabyte", f"i=0; while [ $i -lt {LINES} ]; do printf '%0{KILO - 1}d\\n' $i; "
                "printf '%079d\\n' $i >&2; i=$((i+1)); done",
                b"".join(b"%0*d\n" % (KILO - 1, i) for i in range(LINES)),
                b"".join(b"%079d\n" % i for i in range(LINES))),
        # It ends itself where its input stays open, and prints what comes by it, if anything does. Where braces are
        # redirected, mksh keeps what was there before open.
        Command("input", '{ exec >/dev/null 2>&1; sleep 5 && kill $$; } & read -r line; printf %s "done$line"',
                b"done"),
        # What it prints stands nowhere in its text, but for the secrets: what has changed of it has changed on its way.
        Command("control", "printf '\\357\\273\\277a\\102\\033[1mc\\r\\nd\\ttab\\010\\177\\013\\014\\015"
                "\\001\\004\\007\\032\\342\\200\\250e"
                f"\\302\\240\\134n\\134\\134\\046amp; {octal(PATTERNS)} {secrets}'",
                "\ufeffaB\x1b[1mc\r\nd\ttab\b\x7f\v\f\r\x01\x04\a\x1a\u2028e\xa0".encode()
                + f"\\n\\\\&amp; {PATTERNS} {secrets}".encode()),
        Command("not_utf_8", "printf 'a\\303\\245\\377\\376\\000z'", b"a\xc3\xa5\xff\xfe\0z"),
        *(
            # Who reads output as JSON makes an object of it. It is shorter than what goes to standard error.
            Command(f"exit_{code}", f"printf '{{\"out\": %s}}' {code}; printf 'error of exit {code}' >&2; exit {code}",
                    b'{"out": %d}' % code, f"error of exit {code}".encode(), code)
            for code in (1, 200)
        ),
        # Who trims output, or asks whether it is blank, has nothing.
        Command("exit_255", "printf '\\n \\n'; printf err255 >&2; exit 255", b"\n \n", b"err255", 255),
        # Who replaces words in commands shows it by what is printed where no signal ended it.
        Command("killed", "printf before; kill -9 $$; printf :after:kill", b"before", exit_code=None),
        Command("unknown_program", f"hostup-no-such-program-{token} 2>/dev/null", exit_code=127),
        Command("slow", f"{{ echo x >> {f}.slow; }} 2>/dev/null; printf begun; "
                f"sleep {nap} 2>/dev/null || printf {SLEEPLESS}; printf done >&2; printf ended; exit 3",
                b"begunended", b"done", 3, slow_seconds),
        # It closes its streams, and runs on.
        Command("closed", f"printf open; exec >&- 2>&-; sleep {nap} || exit {SLEEPLESS_CODE}; exit 4", b"open",
                exit_code=4, seconds=slow_seconds),
        # As long as a buffer may be, to its last character.
        Command("shared", "printf 'shåred %024d' 0; i=1; while [ $i -lt 512 ]; do printf '\\nshåred %023d' $i; "
                "i=$((i+1)); done", "\n".join(f"shåred {i:0{23 + (i == 0)}}" for i in range(512)).encode()),
        # It fails, since some run again what failed, and as a lost connection of ssh does.
        Command("once", f"echo x >> {f}.once; sleep 0.1; printf 'done {token}'; exit 255", f"done {token}".encode(),
                exit_code=255),
        Command("again", f"echo x >> {f}.again; wc -l < {f}.again | tr -d ' \\n'", b"1"),
    ]  # fmt: skip


def tagged(command: Command, token: str) -> Command:
    """Return a command with its name and the token before it."""
    return replace(command, text=f"{tag(command.name, token)}{command.text}")


def tag(name: str, token: str) -> str:
    """Return what a command begins with to be recognized; to a shell it is a no-op."""
    return f": hostup-{name}-{token}; "


def longest(name: str, letter: str, token: str) -> Command:
    """Return a command of the greatest allowed length, in code points or in units of UTF-16, as servers count."""
    begin = f"{tag(name, token)}printf %s "
    filler = letter * ((LONGEST_COMMAND - len(begin)) // (len(letter.encode("utf-16-le")) // 2))
    return Command(name, begin + filler, filler.encode())


def environment(token: str, key: str, other_key: str, vps: str) -> Command:
    """Return the command that says whether a key is in its environment; it contains its length and a digest of it.

    Then it prints the names of the variables that are called as credentials are. Where another key is there too, or
    the id of the VPS, the environment is that of a server on this machine with its configuration, which does not count.
    """
    lengths, digests = f"{len(key)}|{len(other_key)}", (digest_of(key, token), digest_of(other_key, token))
    text = (
        f"set -f; k= o=; for w in $({{ env; printf '%s ' \"$0\" \"$@\"; }} | tr '=' ' '); do "
        f"case ${{#w}} in {lengths}) "
        f"case $(printf %s {token}$w | sha256sum) in {digests[0]}*) k=1;; {digests[1]}*) o=1;; esac;; esac; "
        f'case $w in {quoted(vps)}) o=1;; esac; done; if [ -z "$o" ]; then [ "$k" ] && printf "it is "; '
        "for w in $(env | sed 's/=.*//'); do case $w in *[!A-Za-z0-9_]*|HOSTUP_*) ;; "
        "*PASSWORD*|*SECRET*|*TOKEN*|*API_KEY*|DATABASE_URL) printf '%s ' \"$w\";; esac; done; fi; printf done"
    )
    return environment_by(f"{tag('environment', token)}{{ {text}; }} 2>/dev/null")


def environment_by(text: str) -> Command:
    """Return the command that says whether a key is in its environment, by its text."""
    return Command("environment", text, b"done")


def digest_of(key: str, token: str) -> str:
    """Return a digest from which a key cannot be found again: many keys have the same."""
    return sha256(f"{token}{key}".encode()).hexdigest()[:8]


def refused(number: int, token: str) -> Command:
    """Return a command that must not run: it would write its name to a file in the guest's temporary folder."""
    name = f"refused_{number}"
    return Command(name, f"{tag(name, token)}echo {name} >> {file(token)}")


def trace(token: str) -> Command:
    """Return the command that prints which refused commands ran and how often others did; it removes the files.

    Of those that only note that they ran, it prints which did so more than once, each after how often.
    """
    f = file(token)
    counts = "".join(
        f"printf ' {name} '; cat {f}.{name} 2>/dev/null | wc -l | tr -d ' \\n'; " for name in ("once", "slow")
    )
    several = f"{{ sort {f}.ran | uniq -cd; }} 2>/dev/null"
    text = f"cat {f} 2>/dev/null; {several}; {counts}rm -f {f} {f}.once {f}.slow {f}.again {f}.ran"
    return Command("trace", tag("trace", token) + text, b" once 1 slow 1")


def look(token: str) -> str:
    """Return a command that prints which refused commands ran, and removes the file that says so."""
    return f"{LOOK}{token}; cat {file(token)} 2>/dev/null; rm -f {file(token)}"


def again(token: str) -> Command:
    """Return the command `again` of the catalogue, with what it prints when it is run for the second time."""
    first = next(command for command in posix(token, SLOW_SECONDS) if command.name == "again")
    return Command("again", first.text, b"2")


def flood(token: str) -> Command:
    """Return a command that writes more to standard error than a pipe holds, and nothing else."""
    text = f"i=0; while [ $i -lt 100 ]; do printf '%0{KILO - 1}d\\n' $i >&2; i=$((i+1)); done"
    written = b"".join(b"%0*d\n" % (KILO - 1, i) for i in range(100))
    return Command("flood", tag("flood", token) + text, stderr=written)


def steady(token: str, pause: float) -> Command:
    """Return a command that is never silent for longer than a pause."""
    numbers = " ".join(map(str, range(STEADY_TIMES)))
    text = f"for i in {numbers}; do printf $i; sleep {pause:g}; done"
    printed = "".join(map(str, range(STEADY_TIMES))).encode()
    return Command("steady", tag("steady", token) + text, printed, seconds=pause * STEADY_TIMES)


def leaving(token: str, seconds: float) -> Command:
    """Return a command whose shell ends at once, and leaves a process that writes the rest of its output later.

    Nobody has documented what comes of it, so it is not among those that `recognized` knows.
    """
    text = f"{tag('leaving', token)}printf begun; {{ sleep {seconds:g} 2>/dev/null; printf %s -later; }} &"
    return Command("leaving", text, b"begun-later", seconds=seconds)


def left(text: str) -> Command | None:
    """Return the command of `leaving` that has this text; None for any other text."""
    found = re.match(r": hostup-leaving-(\w+); .*; { sleep ([\d.]+)", text)
    command = leaving(found[1], float(found[2])) if found else None
    return command if command and command.text == text else None


def file(token: str) -> str:
    """Return the path of the file in the guest's temporary folder, for a shell."""
    return f'"${{TMPDIR:-/tmp}}/hostup-{token}"'


def windows(guest: Guest, token: str) -> list[Command]:
    """Return the command for a Windows guest, which uses both streams and the exit code; none for other guests."""
    out, error = f"hostup-out-{token}", f"hostup-error-{token}"
    texts = {
        "cmd": f"echo {out}&(echo {error})>&2&exit 3",
        "powershell": f"Write-Output {out}; [Console]::Error.WriteLine('{error}'); exit 3",
    }
    text = texts.get(guest)
    return [Command(guest, text, out.encode(), error.encode(), 3, exact=False)] if text else []


def octal(text: str) -> str:
    """Return what makes printf print a text, whose beginnings of words and special characters are in octal digits."""
    return re.sub(r"\b[a-z0-9]|[^a-z0-9 ]", lambda found: f"\\{ord(found[0]):03o}", text)


def quoted(text: str) -> str:
    """Return a text as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def recognized(text: str) -> Command | None:
    """Return the command of the catalogue with this text; None for any other text."""
    if found := re.match(r": hostup-([a-z0-9_]+)-([A-Za-z0-9]+); ", text):
        name, token = found[1], found[2]
        nap = re.search(r"sleep ([\d.]+)\b", text) if name in LASTING else None
        if name == "trace":
            candidates = [trace(token)]
        elif name == "flood":
            candidates = [flood(token)]
        elif name == "steady":
            candidates = [steady(token, float(nap[1]))] if nap else []
        elif name == "environment":
            candidates = [environment_by(text)]
        elif name.startswith("refused_"):
            candidates = [refused(int(name.removeprefix("refused_")), token)]
        else:
            candidates = posix(token, float(nap[1]) if nap else SLOW_SECONDS)
        either = [form for command in candidates if command.name == name for form in (command, without_note(command))]
        return next((command for command in either if command.text == text), None)
    if found := re.search(r"hostup-out-([A-Za-z0-9]+)", text):
        both = [command for guest in ("cmd", "powershell") for command in windows(guest, found[1])]
        return next((command for command in both if command.text == text), None)
    return NOTHING if text == NOTHING.text else None
