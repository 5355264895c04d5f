"""Faults of error bodies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stage import Answered, Asked

from faults import trips
from faults.probe import refuse

ERRORS = "https://developer.hostup.se/errors/"


@trips("PROBLEM-01")
def errors_are_html(_asked: Asked, answered: Answered) -> None:
    """A 404 is the web server's own page, labelled as JSON."""
    if answered.status == 404:
        answered.body = b"<html><h1>404 Not Found</h1></html>"


@trips("PROBLEM-01")
def errors_have_no_body(_asked: Asked, answered: Answered) -> None:
    """A 401 has no body."""
    if answered.status == 401:
        answered.body = b""


@trips("PROBLEM-01")
def problem_in_an_envelope(_asked: Asked, answered: Answered) -> None:
    """The problem is in an envelope."""
    if answered.is_problem:
        answered.json = {"error": answered.json}


@trips("PROBLEM-01")
def problem_is_a_string(_asked: Asked, answered: Answered) -> None:
    """The body is a JSON string."""
    if answered.is_problem:
        answered.json = answered.json["detail"]


@trips("PROBLEM-02")
def problem_is_labelled_html(_asked: Asked, answered: Answered) -> None:
    """The Content-Type of a problem is text/html."""
    if answered.is_problem:
        answered.header("Content-Type", "text/html; charset=utf-8")


@trips("PROBLEM-03")
def no_code(_asked: Asked, answered: Answered) -> None:
    """A 401 has no code."""
    if answered.status == 401 and answered.is_problem:
        answered.drop("code")


@trips("PROBLEM-03")
def detail_is_empty(_asked: Asked, answered: Answered) -> None:
    """detail is empty."""
    if answered.is_problem:
        answered.change(detail="")


@trips("PROBLEM-03")
def message_for_detail(_asked: Asked, answered: Answered) -> None:
    """detail is spelled message."""
    if answered.is_problem:
        answered.rename(detail="message")


@trips("PROBLEM-03")
def type_is_missing(_asked: Asked, answered: Answered) -> None:
    """There is no type."""
    if answered.is_problem:
        answered.drop("type")


@trips("PROBLEM-04")
def no_request_id(_asked: Asked, answered: Answered) -> None:
    """There is no requestId."""
    if answered.is_problem:
        answered.drop("requestId")


@trips("PROBLEM-04")
def status_code_for_status(_asked: Asked, answered: Answered) -> None:
    """status is spelled statusCode."""
    if answered.is_problem:
        answered.rename(status="statusCode")


@trips("PROBLEM-05")
def status_is_text(_asked: Asked, answered: Answered) -> None:
    """The member status is a string."""
    if answered.is_problem:
        answered.change(status=str(answered.json["status"]))


@trips("PROBLEM-05")
def timestamp_is_a_number(_asked: Asked, answered: Answered) -> None:
    """timestamp is in milliseconds since 1970."""
    if answered.is_problem:
        answered.change(timestamp=1777293296000)


@trips("PROBLEM-06")
def status_is_always_500(_asked: Asked, answered: Answered) -> None:
    """The member status is 500, whatever the status code."""
    if answered.is_problem:
        answered.change(status=500)


@trips("PROBLEM-07")
def type_is_about_blank(_asked: Asked, answered: Answered) -> None:
    """type is about:blank, and the titles are right."""
    if answered.status == 403 and answered.is_problem:
        answered.change(type="about:blank")


@trips("PROBLEM-07")
def type_is_out_of_step(_asked: Asked, answered: Answered) -> None:
    """The type of a 404 is that of a 403."""
    if answered.status == 404 and answered.is_problem:
        answered.change(type=ERRORS + "no_access")


@trips("PROBLEM-08")
def code_of_another_status(_asked: Asked, answered: Answered) -> None:
    """A 401 has the code and the type of a 403."""
    if answered.status == 401 and answered.is_problem:
        answered.change(code="forbidden", type=ERRORS + "forbidden", title="Forbidden")


@trips("PROBLEM-09")
def code_that_nobody_knows(_asked: Asked, answered: Answered) -> None:
    """A 404 has an undocumented code."""
    if answered.status == 404 and answered.is_problem:
        answered.change(code="server_missing", type=ERRORS + "server_missing", title="Server missing")


@trips("PROBLEM-09")
def gateway_has_the_code_of_500(asked: Asked, answered: Answered) -> None:
    """If the agent does not respond, there is a 502 with the code of a 500."""
    if answered.status == 503:
        refuse(asked, answered, 502, "internal_error", "Internal server error")


@trips("PROBLEM-10")
def errors_is_an_object(_asked: Asked, answered: Answered) -> None:
    """errors is an object with a member for each field."""
    if answered.is_problem and "errors" in answered.json:
        answered.change(errors={"pid": ["is no number"]})


@trips("PROBLEM-10")
def errors_without_pointer(_asked: Asked, answered: Answered) -> None:
    """The items of errors have no pointer."""
    if answered.is_problem and "errors" in answered.json:
        answered.change(errors=[{"detail": "no", "code": "invalid_request"}])


@trips("PROBLEM-10")
def errors_are_texts(_asked: Asked, answered: Answered) -> None:
    """The items of errors are strings."""
    if answered.is_problem and "errors" in answered.json:
        answered.change(errors=["pid is no number"])


@trips("PROBLEM-11")
def bad_request_says_nothing(_asked: Asked, answered: Answered) -> None:
    """A 400 has no errors."""
    if answered.is_problem:
        answered.drop("errors")


@trips("PROBLEM-12")
def pointer_is_a_sentence(_asked: Asked, answered: Answered) -> None:
    """A pointer is a sentence."""
    if answered.is_problem and "errors" in answered.json:
        answered.change(errors=[{"pointer": "in the query", "detail": "no", "code": "invalid_request"}])


@trips("PROBLEM-13")
def one_request_id_for_all(_asked: Asked, answered: Answered) -> None:
    """requestId is a constant."""
    if answered.is_problem:
        answered.change(requestId="req_01hxa3b4c5d6e7f8g9h0j1k2m3")


@trips("PROBLEM-14")
def timestamp_without_offset(_asked: Asked, answered: Answered) -> None:
    """timestamp has no offset."""
    if answered.is_problem:
        answered.change(timestamp=answered.json["timestamp"].rstrip("Z"))


@trips("PROBLEM-14")
def timestamp_in_month_13(_asked: Asked, answered: Answered) -> None:
    """timestamp is not a date."""
    if answered.is_problem:
        answered.change(timestamp="2026-13-01T00:00:00Z")


@trips("PROBLEM-15")
def timestamp_of_the_example(_asked: Asked, answered: Answered) -> None:
    """timestamp is that of the documentation's example."""
    if answered.is_problem:
        answered.change(timestamp="2026-04-27T12:34:56.000Z")


@trips("PROBLEM-15")
def local_time_labelled_utc(_asked: Asked, answered: Answered) -> None:
    """timestamp is two hours ahead; the Date header is right."""
    if answered.is_problem:
        now = datetime.now(UTC)
        answered.header("Date", now.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        answered.change(timestamp=(now + timedelta(hours=2)).isoformat(timespec="seconds").replace("+00:00", "Z"))


@trips("PROBLEM-16")
def title_varies(asked: Asked, answered: Answered) -> None:
    """title describes the occurrence."""
    if answered.is_problem:
        answered.change(title=f"{answered.json['title']} ({asked.nth('titles')})")


@trips("PROBLEM-17")
def instance_has_spaces(_asked: Asked, answered: Answered) -> None:
    """instance is not a URI reference."""
    if answered.is_problem:
        answered.change(instance="GET /api/v2/vps")


@trips("HTTP-08")
def every_seventh_answer_is_500(asked: Asked, answered: Answered) -> None:
    """Every seventh problem is a 500."""
    if answered.status in {401, 404} and asked.method == "GET" and asked.nth() % 7 == 0:
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PROBLEM-12")
def pointer_is_the_examples(_asked: Asked, answered: Answered) -> None:
    """errors is that of the documentation's example."""
    if answered.status == 400 and answered.is_problem:
        item = {"pointer": "/items/0/domainName", "detail": "`domainName` is required.", "code": "invalid_request"}
        answered.change(errors=[item])
