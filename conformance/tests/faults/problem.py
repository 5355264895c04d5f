"""Faults of error bodies."""

from datetime import UTC, datetime, timedelta

from stage import Request, Response

from faults import trips
from faults.probe import refuse

ERRORS = "https://developer.hostup.se/errors/"


@trips("PROBLEM-01")
def errors_are_html(_request: Request, response: Response) -> None:
    """A 404 is the web server's own page, labelled as JSON."""
    if response.status == 404:
        response.body = b"<html><h1>404 Not Found</h1></html>"


@trips("PROBLEM-01")
def unauthorized_is_a_page(_request: Request, response: Response) -> None:
    """A 401 is the framework's own page, as it is made where no handler of the application's is called."""
    if response.status == 401:
        response.become(401, b"<!doctype html><title>401 Unauthorized</title>", "text/html; charset=utf-8")
        response.header("WWW-Authenticate", "Bearer")


@trips("PROBLEM-01")
def errors_have_no_body(_request: Request, response: Response) -> None:
    """A 401 has no body."""
    if response.status == 401:
        response.body = b""


@trips("PROBLEM-01")
def problem_in_an_envelope(_request: Request, response: Response) -> None:
    """The problem is in an envelope."""
    if response.is_problem:
        response.json = {"error": response.json}


@trips("PROBLEM-01")
def problem_is_a_string(_request: Request, response: Response) -> None:
    """The body is a JSON string."""
    if response.is_problem:
        response.json = response.json["detail"]


@trips("PROBLEM-02")
def problem_is_labelled_html(_request: Request, response: Response) -> None:
    """The Content-Type of a problem is text/html."""
    if response.is_problem:
        response.header("Content-Type", "text/html; charset=utf-8")


@trips("PROBLEM-03")
def no_code(_request: Request, response: Response) -> None:
    """A 401 has no code."""
    if response.status == 401 and response.is_problem:
        response.drop("code")


@trips("PROBLEM-03")
def detail_is_empty(_request: Request, response: Response) -> None:
    """detail is empty."""
    if response.is_problem:
        response.change(detail="")


@trips("PROBLEM-03")
def message_for_detail(_request: Request, response: Response) -> None:
    """detail is spelled message."""
    if response.is_problem:
        response.rename(detail="message")


@trips("PROBLEM-03")
def type_is_missing(_request: Request, response: Response) -> None:
    """There is no type."""
    if response.is_problem:
        response.drop("type")


@trips("PROBLEM-04")
def no_request_id(_request: Request, response: Response) -> None:
    """There is no requestId."""
    if response.is_problem:
        response.drop("requestId")


@trips("PROBLEM-04")
def status_code_for_status(_request: Request, response: Response) -> None:
    """status is spelled statusCode."""
    if response.is_problem:
        response.rename(status="statusCode")


@trips("PROBLEM-05")
def status_is_text(_request: Request, response: Response) -> None:
    """The member status is a string."""
    if response.is_problem:
        response.change(status=str(response.json["status"]))


@trips("PROBLEM-05")
def timestamp_is_a_number(_request: Request, response: Response) -> None:
    """timestamp is in milliseconds since 1970."""
    if response.is_problem:
        response.change(timestamp=1777293296000)


@trips("PROBLEM-06")
def status_is_always_500(_request: Request, response: Response) -> None:
    """The member status is 500, whatever the status code."""
    if response.is_problem:
        response.change(status=500)


@trips("PROBLEM-07")
def type_is_about_blank(_request: Request, response: Response) -> None:
    """type is about:blank, and the titles are right."""
    if response.status == 403 and response.is_problem:
        response.change(type="about:blank")


@trips("PROBLEM-07")
def type_is_out_of_step(_request: Request, response: Response) -> None:
    """The type of a 404 is that of a 403."""
    if response.status == 404 and response.is_problem:
        response.change(type=ERRORS + "no_access")


@trips("PROBLEM-08")
def code_of_another_status(_request: Request, response: Response) -> None:
    """A 401 has the code and the type of a 403."""
    if response.status == 401 and response.is_problem:
        response.change(code="forbidden", type=ERRORS + "forbidden", title="Forbidden")


@trips("PROBLEM-09")
def code_that_nobody_knows(_request: Request, response: Response) -> None:
    """A 404 has an undocumented code."""
    if response.status == 404 and response.is_problem:
        response.change(code="server_missing", type=ERRORS + "server_missing", title="Server missing")


@trips("PROBLEM-09")
def codes_are_in_capitals(_request: Request, response: Response) -> None:
    """Codes are written in capital letters."""
    if response.is_problem:
        response.change(code=response.json["code"].upper())


@trips("PROBLEM-18")
def gateway_has_the_code_of_500(request: Request, response: Response) -> None:
    """If the agent does not respond, there is a 502 with the code of a 500."""
    if response.status == 503:
        refuse(request, response, 502, "internal_error", "Internal server error")


@trips("PROBLEM-10")
def errors_is_an_object(_request: Request, response: Response) -> None:
    """errors is an object with a member for each field."""
    if response.is_problem and "errors" in response.json:
        response.change(errors={"pid": ["is no number"]})


@trips("PROBLEM-10")
def errors_without_pointer(_request: Request, response: Response) -> None:
    """The items of errors have no pointer."""
    if response.is_problem and "errors" in response.json:
        response.change(errors=[{"detail": "no", "code": "invalid_request"}])


@trips("PROBLEM-10")
def errors_are_texts(_request: Request, response: Response) -> None:
    """The items of errors are strings."""
    if response.is_problem and "errors" in response.json:
        response.change(errors=["pid is no number"])


@trips("PROBLEM-11")
def bad_request_says_nothing(_request: Request, response: Response) -> None:
    """A 400 has no errors."""
    if response.is_problem:
        response.drop("errors")


@trips("PROBLEM-12")
def pointer_is_a_sentence(_request: Request, response: Response) -> None:
    """A pointer is a sentence."""
    if response.is_problem and "errors" in response.json:
        response.change(errors=[{"pointer": "in the query", "detail": "no", "code": "invalid_request"}])


@trips("PROBLEM-13")
def one_request_id_for_all(_request: Request, response: Response) -> None:
    """requestId is a constant."""
    if response.is_problem:
        response.change(requestId="req_01hxa3b4c5d6e7f8g9h0j1k2m3")


@trips("PROBLEM-14")
def timestamp_without_offset(_request: Request, response: Response) -> None:
    """timestamp has no offset."""
    if response.is_problem:
        response.change(timestamp=response.json["timestamp"].rstrip("Z"))


@trips("PROBLEM-14")
def timestamp_in_month_13(_request: Request, response: Response) -> None:
    """timestamp is not a date."""
    if response.is_problem:
        response.change(timestamp="2026-13-01T00:00:00Z")


@trips("PROBLEM-15")
def timestamp_of_the_example(_request: Request, response: Response) -> None:
    """timestamp is that of the documentation's example."""
    if response.is_problem:
        response.change(timestamp="2026-04-27T12:34:56.000Z")


@trips("PROBLEM-15")
def local_time_labelled_utc(_request: Request, response: Response) -> None:
    """timestamp is two hours ahead; the Date header is right."""
    if response.is_problem:
        now = datetime.now(UTC)
        response.header("Date", now.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        response.change(timestamp=(now + timedelta(hours=2)).isoformat(timespec="seconds").replace("+00:00", "Z"))


@trips("PROBLEM-16")
def title_varies(request: Request, response: Response) -> None:
    """title describes the occurrence."""
    if response.is_problem:
        response.change(title=f"{response.json['title']} ({request.nth('titles')})")


@trips("PROBLEM-17")
def instance_has_spaces(_request: Request, response: Response) -> None:
    """instance is not a URI reference."""
    if response.is_problem:
        response.change(instance="GET /api/v2/vps")


@trips("HTTP-08")
def every_seventh_response_is_500(request: Request, response: Response) -> None:
    """Every seventh problem is a 500."""
    if response.status in {401, 404} and request.method == "GET" and request.nth() % 7 == 0:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PROBLEM-12")
def pointer_is_the_examples(_request: Request, response: Response) -> None:
    """errors is that of the documentation's example."""
    if response.status == 400 and response.is_problem:
        item = {"pointer": "/items/0/domainName", "detail": "`domainName` is required.", "code": "invalid_request"}
        response.change(errors=[item])


@trips("PROBLEM-09")
def codes_are_translated(request: Request, response: Response) -> None:
    """Codes are in the language that the client prefers."""
    if response.is_problem and request.headers.get("accept-language", "").startswith("sv"):
        response.change(code={400: "ogiltig_begaran", 401: "obehorig", 404: "hittades_inte"}[response.status])
