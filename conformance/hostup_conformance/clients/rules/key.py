"""CLIENT: where the key is sent, and where it must not be."""

from hostup_conformance.clients.rules import Findings, rule
from hostup_conformance.clients.story import Exchange, Story
from hostup_conformance.http.json_text import read_json
from hostup_conformance.keeping.redact import most_of, redactor
from hostup_conformance.keeping.safe_text import split_url


@rule("CLIENT-01", lambda story: story.own)
def key_is_bearer(story: Story) -> Findings:
    """Each request to the base URL must have exactly one Authorization header field.

    It must have the scheme Bearer, in any case, and the key.
    """
    for e in story.own:
        values = [value for name, value in e.request.headers if name.lower() == "authorization"]
        scheme, _, token = values[0].partition(" ") if values else ("", "", "")
        if len(values) > 1:
            yield e, "one Authorization", f"{len(values)} of them"
        elif not values:
            yield e, "Authorization: Bearer, with the key", "no Authorization"
        elif scheme.lower() != "bearer":
            yield e, "the scheme Bearer", f"the scheme {scheme}" if token else "no scheme"
        elif token != story.play.key:
            yield e, "the key of HOSTUP_API_KEY", "another text after Bearer"


@rule("CLIENT-02", lambda story: story.own)
def key_is_nowhere_else(story: Story) -> Findings:
    """The key, in any of its encodings, must not be in the target, the body, or any header field but Authorization."""
    holds_key = redactor((story.play.key,)).finds_in
    for e in story.own:
        others = (name for name, value in e.request.headers if name.lower() != "authorization" and holds_key(value))
        if holds_key(e.request.target):
            yield e, "no key in the URL, which logs and histories keep", "the key in the URL"
        elif name := next(others, None):
            yield e, "the key in Authorization alone", f"the key in {name} too"
        elif holds_key(e.request.body.decode("utf-8", "replace")):
            yield e, "the key in Authorization alone", "the key in the body"


def elsewhere(story: Story) -> list[Exchange]:
    """Return the requests that the other origin got."""
    return [e for e in story.requests if e.ask.origin == "other"]


def led_away(story: Story) -> bool:
    """Whether a response named the other origin, or a request went there."""
    hosts = [(split_url(e.header("location") or "").netloc, e.request.header("host")) for e in story.own]
    led = any(to and to != own for to, own in hosts)
    return led or bool(elsewhere(story)) or story.play.scene.name.startswith("poll-url")


def texts_of(e: Exchange) -> list[str]:
    """Return all texts of a request in which a key may be."""
    return [e.request.target, e.request.body.decode("utf-8", "replace"), *(value for _, value in e.request.headers)]


@rule("CLIENT-03", led_away)
def no_other_origin(story: Story) -> Findings:
    """The key must not reach a second server, to which redirects and pollUrls lead, in any form.

    A client that follows them without the key passes, and so does one that does not follow them.
    """
    holds_key = redactor((story.play.key,)).finds_in
    for e in elsewhere(story):
        if any(map(holds_key, texts_of(e))):
            advice = "do not follow redirects, and take from pollUrl no more than its pid"
            yield e, f"no key for another host ({advice})", "the key"


@rule("CLIENT-45", lambda story: story.play.scene.command and led_away(story))
def command_goes_nowhere_else(story: Story) -> Findings:
    """The command must not reach the second server in a body, with the key or without it."""
    command = story.play.scene.command
    for e in elsewhere(story):
        value = read_json(e.request.body).value
        sent = value.get("command") if isinstance(value, dict) else None
        if command and (sent == command or command.encode() in e.request.body):
            yield e, "no command for another host (do not follow redirects of the start)", "the command"


@rule("CLIENT-39", lambda story: story.play.scene.certificate not in {None, "right"} and story.outcome.is_seen)
def certificate_is_verified(story: Story) -> Findings:
    """No request may come where the certificate must not be trusted: verification ends the connection before.

    Nor may one come without TLS, on another connection.
    """
    for e in story.own:
        how = "with the key, without TLS" if e.ask.without_tls else "with the key"
        yield e, "no request, since the server's certificate must not be trusted", f"{e.request.method or 'one'} {how}"


@rule("CLIENT-48", lambda story: story.play.scene.certificate == "right" and story.own)
def key_is_not_sent_in_plain_text(story: Story) -> Findings:
    """Where the base URL begins with https:, a request that comes without TLS, with the key in any form, is a finding.

    A client that sends one without the key passes.
    """
    holds_key = redactor((story.play.key,)).finds_in
    for e in story.own:
        if e.ask.without_tls and any(map(holds_key, texts_of(e))):
            yield e, "no key without TLS, since the base URL begins with https: (do not follow redirects)", "the key"


@rule("CLIENT-43", lambda story: story.outcome.exposing is not None)
def key_is_no_argument(story: Story) -> Findings:
    """While a request of the scene well waits, no process of the client may have the key in its arguments.

    It is seen where the system has a /proc.
    """
    if story.outcome.exposing:
        programs = ", ".join(sorted(story.outcome.exposing))
        yield (
            None,
            "no key in arguments (curl reads header fields from standard input: -H @-)",
            f"the key in those of {programs}",
        )


@rule("CLIENT-04", lambda story: story.outcome.is_seen)
def key_is_not_printed(story: Story) -> Findings:
    """Neither standard output nor standard error may contain the key, or the first or last three quarters of it."""
    holds_key = redactor((story.play.key, *most_of(story.play.key))).finds_in
    for name, printed in story.outcome.printed.items():
        text = printed[: 2**20].decode("utf-8", "replace")
        if holds_key(text) or holds_key("".join(text.split())):  # in lines of some characters each
            yield None, "no key in what is printed", f"the key in its {name}"
