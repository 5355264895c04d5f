"""SAFETY: what no response may contain."""

import ipaddress
import re
from hashlib import blake2b
from urllib.parse import unquote

from hostup_conformance.contract import ask, commands, content, lives, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.contract.target import Target
from hostup_conformance.keeping.redact import MARK, Redactor, most_of, redactor
from hostup_conformance.keeping.safe_text import shown, split_url

#: Marks of a server's internals: stack traces of several languages, file paths, database errors, and what it did or
#: failed to reach, as several languages and libraries say it. Repetitions are
#: bounded and mostly possessive, so that matching takes a time that is linear in the text.
INTERNALS = re.compile(
    r"""Traceback\ \(most\ recent | File\ \\?"[^"\n]{1,300}+",\ line\ \d | Stack\ ?trace: | \bstack"\s{0,9}+:
      | \btrace"\s{0,9}+:\s{0,9}+\[ | \.(?:go|rs|py|js|ts|php|rb|pl|java)(?:[:(]|\ (?:on\ )?line\ )\d
      | \bat\ /[\w./-]{1,300}+:\d | goroutine\ \d{1,19}+\ \[ | panic:\s
      | \bat\ [\w$.<>\[\]]{1,200}+\ ?\((?P<place>[^)\n]{0,300}+)
      | \b(?:java|javax|org|com)(?:\.\w{1,80}+){1,20}+(?<=Exception)\b | NullPointerException | node_modules
      | (?<![\w/])/(?:home|var|usr|opt|srv|etc|root|app)/[\w.-] | [A-Z]:\\\\?(?:Users|inetpub|Windows|Program)
      | \binvalid\ literal\ for\ int\(\) | \bstrconv\.\w | \bFor\ input\ string:\ | \bjava\.lang\.
      | SQLSTATE | ORA-\d{5} | \bSELECT\s[^\n]{1,200}?\sFROM\s | \bsyntax\ error\ at\ or\ near
      | psycopg2?\. | sqlite3?\.\w{0,80}Error
      | ://[^\s/"@]{1,100}+@ | \.svc\.cluster\.local\b | \bdial\ tcp\b | \bECONN(?:REFUSED|RESET)\b
      | HTTPS?ConnectionPool\( | \bos\ error\ \d | \[Errno\ \d""",
    re.VERBOSE | re.IGNORECASE,
)
#: Credentials of the server: a variable whose name says so, with its value, and the form that a hypervisor's token has.
CREDENTIALS = re.compile(
    r"""(?<![\w-])(?!X?C?SRF)[A-Z0-9_]{0,40}(?:PASSWORD|SECRET|TOKEN|API_KEY|APP_KEY|DATABASE_URL)[A-Z0-9_]{0,40}
        (?:"\ ?:\ ?"|=["']?)(?=[^\s"'*$<{]{6})
      | "(?i:[a-z_]{0,40}(?:password|passphrase|private_?key|secret_?key))"\ ?:\ ?"(?=[^\s"'*$<{\[(]{6})
      | \bPVEAPIToken=(?=\S) | \b[\w.-]{1,60}@(?:pam|pve)!""",
    re.VERBOSE,
)
#: A shorter id may stand in any text by chance, as a number does.
SHORTEST_ID = 8
#: What the command that looks into its environment prints of it.
NAMES_OF_SECRETS = re.compile(r"\b(?:\w*(?:PASSWORD|SECRET|TOKEN|API_KEY)\w*|DATABASE_URL)\b")
#: Who a URL names as its user, with a password.
USER_IN_URL = re.compile(r"""://[^\s/"@]{1,100}+@""")
#: The last labels of names that only their own network knows.
INNER = (".internal", ".local", ".lan")
#: The members of a 200 that hold what a command wrote, or the text of one.
GUESTS = {"stdout", "stderr", "command"}
#: The place in parentheses on a line of a stack trace: a file and a line number.
PLACE = re.compile(r"[/\\.][^:\n]{0,300}+:\d|^[^:\n]{1,300}+:\d")
#: E-mail addresses and IPv4 addresses; and the names of members that say whose a VPS is.
DETAILS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", re.ASCII)
OWNERS = re.compile("owner|customer|e-?mail|host_?name|primary_?ip", re.IGNORECASE)
#: E-mail addresses to which people may turn for help.
HELP = re.compile(r"(support|help|abuse|info|contact|security)@|.*@([\w.-]+\.)?hostup\.se$", re.IGNORECASE)
#: What stands before a mark: ten characters, and the beginning of the word that they cut.
WORDS_BEFORE = re.compile(r"\w{0,30}.{0,10}\Z", re.DOTALL)
#: How much of a response is searched, in characters: for keys, for keys with escapes in them, and for internals and
#: addresses.
SEARCHED, SEARCHED_WITH_ESCAPES, SEARCHED_FOR_INTERNALS = 8 << 20, 1 << 14, 1 << 15
#: How much of all responses of a run is searched for escapes, in characters: a hundred times as much as most have.
ALL_WITH_ESCAPES = 1 << 20
#: How many characters of an output are searched for in other responses.
COMPARED = 1 << 16


def texts(e: ask.Exchange) -> list[str]:
    """Return the header section, with the reason phrase, and the beginning of the body of a response, as text."""
    assert e.response is not None  # noqa: S101 - the selectors see to it
    section = "\n".join([e.response.phrase, *(f"{name}: {value}" for name, value in e.response.headers)])
    return [section, e.response.body[:SEARCHED].decode("utf-8", "replace")]


def internals(text: str, *, paths: bool = True) -> str | None:
    """Return the first mark of a server's internals, paths among them or not, with its surroundings, or None."""
    text = text[:SEARCHED_FOR_INTERNALS].replace("\\n", "\n").replace("\\/", "/")
    for found in INTERNALS.finditer(text):
        counts = paths or not re.match("/|[A-Za-z]:", found[0])
        if counts and (found["place"] is None or PLACE.search(found["place"])):
            before = WORDS_BEFORE.search(text[max(0, found.start() - 40) : found.start()])
            return USER_IN_URL.sub("://...@", (before[0] if before else "") + text[found.start() : found.end() + 60])
    return None


def credential_in(text: str) -> str | None:
    """Return what tells of the first credential of a server in a text, but not its value, or None."""
    found = CREDENTIALS.search(text[:SEARCHED_FOR_INTERNALS])
    return f"{found[0]}..." if found else None


def is_searched(e: ask.Exchange) -> bool:
    """Any response. A request with the key in its URL is exempt, since a response may repeat the URL."""
    return e.response is not None and e.ask.credential != "query"


@rule("SAFETY-01")
def key_stays(exchanges: Exchanges) -> Findings:
    """The reason phrase, each header field and the body are searched for the caller's keys, in plain and encoded.

    So is what shows the first or the last three quarters of one, as a mask of a few characters does.
    Any other credential that the request had counts too, if it has at least 12 characters; a cookie does not.
    """
    target = exchanges.target
    redact = redactor((*target.given_secrets, *most_of(target.key), *most_of(target.read_key or "")))
    searched: dict[bytes, bool] = {}
    left = ALL_WITH_ESCAPES
    for e in exchanges.each(is_searched, whole_run=True):
        sent = (e.request.header("authorization") or "").rpartition(" ")[2]
        for text in texts(e):
            if (digest := blake2b(text.encode("utf-8", "surrogatepass")).digest()) not in searched:  # many are the same
                beginning = text[: min(SEARCHED_WITH_ESCAPES, left)]
                left -= len(beginning)
                found = redact.finds_in(beginning) or redact.finds_in(text, depth=0)
                searched[digest] = found
            if searched[digest] or (len(sent) >= 12 and sent in text):
                yield e, "no key in the response", around(redact, text)
                break


def around(redact: Redactor, text: str) -> str:
    """Return the surroundings of the first key in a text."""
    without = redact(text[: 1 << 20])
    at = without.find(MARK)
    return f"{'...' if at > 60 else ''}{without[max(0, at - 60) : at + 90]}" if at >= 0 else without


def own_words(e: ask.Exchange) -> str:
    """Return what the body of a response says, but for the output of a command and its text, which are the guest's."""
    if e.status != 200 or selectors.is_availability(e):
        return texts(e)[1]
    return "\n".join(f'"{name}": "{text}"' for name, text in content.named_strings(e.body) if name not in GUESTS)


@rule("SAFETY-02")
def no_internals(exchanges: Exchanges) -> Findings:
    """Reason phrases, header fields and bodies are searched for marks of stack traces, file paths and database errors.

    In bodies, a credential of the server is a finding too: a variable such as APP_KEY with its value. Of a 200, the
    output of a command is left out, since it may hold anything, and so are a member that repeats the command, and
    file paths, which may be the guest's; but not of the availability. The instance of an error must have no address of
    the server's own network, unless that is the one that the run was given.
    """
    for e in exchanges.each(is_searched, whole_run=True):
        section, body = texts(e)[0], own_words(e)
        paths = e.status != 200 or selectors.is_availability(e)
        marks = credential_in(body) or internals(section, paths=paths) or internals(body, paths=paths)
        if found := marks or inner_address(e, exchanges.target):
            yield e, "nothing of the server's internals", found


def inner_address(e: ask.Exchange, target: Target) -> str | None:
    """Return the instance of an error if its host is of a network that is not the caller's; else None."""
    instance = None if content.below(e, 400) else content.member(e, "instance")
    try:
        host = split_url(instance).hostname if isinstance(instance, str) else None
    except ValueError:
        return None
    if not host or host == (split_url(target.base_url).hostname or "").lower():
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        inner = "." not in host or host.endswith(INNER)
        inner = inner and not (target.is_loopback and host == "localhost")
    else:
        inner = not address.is_global and not (target.is_loopback and address.is_loopback)
    return f"instance {shown(instance, 80)}" if inner else None


#: How a poll may be spelled that some servers take for that of a command.
IN_OTHER_FORMS = {ask.Pid.LOOSE, ask.Pid.REPEATED, ask.Pid.STRANGE}


@rule("SAFETY-03")
def output_stays(exchanges: Exchanges) -> Findings:
    """A response to a request that may not see output must have no exited, stdout or stderr, at any depth.

    Nor may it repeat a text of 12 or more characters that a poll of this run returned. An error must do neither for any
    key, but for the poll of a command, in whatever form, by who may poll it. A 404 without output shows nothing where
    no pid of a command is known.
    """
    selected = exchanges.known(is_searched, lambda e: e.request.method in {"GET", "HEAD"})
    known = {
        text
        for e in selected
        if entitled(e) and e.status == 200 and isinstance(e.body, dict)
        for output in (e.body.get("stdout"), e.body.get("stderr"))
        if isinstance(output, str) and len(text := output[:COMPARED].strip()) >= 12
    }
    for e in selected:
        polls = e.ask.pid.known or (e.ask.pid in IN_OTHER_FORMS and e.ask.pids)
        own = entitled(e) and polls and e.ask.vps == "own"
        if own or ((entitled(e) or not told_apart(e, exchanges)) and content.below(e, 300)):
            continue
        if found := sorted(content.output_members(e.body)):
            yield exchanges.take(e), "no command output", f"members {', '.join(found)}"
        elif known and any(map("\0".join(content.strings(e.body)).__contains__, known)):
            yield exchanges.take(e), "no command output", "a text that a poll of this run returned"
        elif exchanges.tells_of_output(e):
            exchanges.take(e)


def told_apart(e: ask.Exchange, exchanges: Exchanges) -> bool:
    """Whether the target is said to know what makes this request one that may not see output: its key, or its VPS."""
    needs = {
        "credentials": e.ask.credential in {*ask.WITHOUT_KEY, "query"},
        "scopes": e.ask.credential == "read",
        "ids": e.ask.vps not in {"own", "unavailable", None},
    }
    return any(applies and exchanges.target.has(need) for need, applies in needs.items())


def entitled(e: ask.Exchange) -> bool:
    """Whether the request may get command output, or another rule judges a 200 for it."""
    if e.ask.credential == "unnamed":
        return True
    return e.ask.credential in {"full", "lowercase"} and e.ask.vps not in {"foreign", "unknown"}


@rule("SAFETY-04", seeks="request from a page of another origin")
def no_foreign_origins(exchanges: Exchanges) -> Findings:
    """Allowing credentials is a finding if the allowed origin is * or the one that the suite made up."""
    for e in exchanges.each(selectors.has_response, lambda e: e.request.header("origin") is not None):
        allowed = e.header("access-control-allow-origin") or ""
        credentials = e.header("access-control-allow-credentials") or ""
        if credentials.strip().lower() == "true" and allowed.strip() in {"*", e.request.header("origin")}:
            yield e, "no credentials for an unknown origin", f"Access-Control-Allow-Origin: {allowed}, with credentials"


@rule("SAFETY-05", seeks="command output")
def output_is_not_shared(exchanges: Exchanges) -> Findings:
    """public and s-maxage are findings, unless no-store, no-cache or private is there too. HTTP-10 judges max-age.

    They pass where every use has to be validated with the server (max-age=0, must-revalidate).
    """
    for e in exchanges.each(selectors.is_output):
        if content.is_shared(e):
            allowed = "Cache-Control: no-store or private, or no Cache-Control"
            yield e, allowed, f"Cache-Control: {e.header('cache-control')}"


@rule("SAFETY-06", seeks="end of a command that looks into its environment")
def key_is_not_handed_on(exchanges: Exchanges) -> Findings:
    """The command compares each word of its environment with a digest of the key, and prints whether one is the key.

    A guest without env or sha256sum finds none. A key beside another key or the id of the VPS passes: that is the
    configuration of a server on this machine, which its commands inherit. Such a server is only judged with two keys.
    """
    for e, command in exchanges.ends("environment"):
        if "it is" in printed_by(e, command):
            yield e, "no key in the environment of a command", "the caller's key"


def printed_by(e: ask.Exchange, command: commands.Command) -> str:
    """Return what a command printed, without its own text, which a console may repeat before that."""
    return lives.stream(e, "stdout").replace(command.text, "")


@rule("SAFETY-08", seeks="end of a command that looks into its environment")
def secrets_are_not_handed_on(exchanges: Exchanges) -> Findings:
    """Variables with PASSWORD, SECRET, TOKEN or API_KEY in their names are findings, and so is DATABASE_URL.

    The command prints their names alone. As for SAFETY-06, the environment of a server on this machine passes.
    """
    for e, command in exchanges.ends("environment"):
        if found := NAMES_OF_SECRETS.findall(printed_by(e, command)):
            yield e, "no credentials in the environment of a command", ", ".join(found)


def details(e: ask.Exchange) -> set[str]:
    """Return the e-mail and IP addresses in a refusal, and the members that name an owner or a host."""
    text = " ".join(content.strings(e.body))[:SEARCHED_FOR_INTERNALS]
    found = {one for one in DETAILS.findall(text) if not HELP.match(one)}
    return found | {f"{name}: {text}" for name, text in content.named_strings(e.body) if OWNERS.search(name)}


@rule("SAFETY-07", seeks="refusal for a VPS of another account")
def owners_stay_unknown(exchanges: Exchanges) -> Findings:
    """An e-mail address, an IP address or a member that names an owner is a finding, unless other refusals have it too.

    The address of a support desk passes. The id of the VPS is a finding where nobody asked for it, unless it has fewer
    than eight characters; VPS-02 judges lists.
    """
    refusals = exchanges.known(content.refused, selectors.asking(credential={"full", "read"}))
    foreign = exchanges.target.foreign_vps
    others = [e for e in refusals if not foreign or foreign not in unquote(e.request.target)]
    known = set[str]().union(*(details(e) for e in others if e.ask.vps != "foreign"))
    for e in [e for e in refusals if e.ask.vps == "foreign"]:
        if told := details(exchanges.take(e)) - known:
            yield e, "nothing about the VPS or its owner", ", ".join(sorted(told))
    for e in exchanges.known(is_searched, lambda e: e.ask.resource != "list"):
        searched = foreign and len(foreign) >= SHORTEST_ID and foreign not in unquote(e.request.target)
        if foreign and searched and any(foreign in text for text in texts(e)):
            fields = e.response.headers if e.response else ()
            members = e.body.items() if isinstance(e.body, dict) else ()
            where = [f" in the header field {name}" for name, value in fields if foreign in value]
            where += [f" in the member {name}" for name, value in members if foreign in str(value)]
            yield e, "no VPS of another account, since nobody asked for it", f"{foreign}{''.join(where[:1])}"
