"""Variants of methods other than GET."""

from faults.probe import refuse
from stage import Request, Response

from variants import allowed


@allowed()
def other_methods_are_not_found(request: Request, response: Response) -> None:
    """All other methods get 404."""
    if request.method not in {"GET", "HEAD"}:
        refuse(request, response, 404, "not_found", "Not found")


@allowed(warns={"HTTP-22"})
def other_methods_are_not_implemented(request: Request, response: Response) -> None:
    """All other methods, HEAD included, get 501 without a body."""
    if request.method != "GET":
        response.become(501)


@allowed(warns={"HTTP-22"})
def get_alone(request: Request, response: Response) -> None:
    """All other methods, HEAD included, get 405 with Allow: GET."""
    if request.method != "GET":
        response.become(405, b"Method Not Allowed", "text/plain")
        response.header("Allow", "GET")


@allowed()
def methods_need_a_key_first(request: Request, response: Response) -> None:
    """For any method, the key is checked first: 401 comes before 405."""
    if request.method != "GET" and not request.full and not request.reading:
        refuse(request, response, 401, "unauthorized", "Unauthorized")
        response.header("WWW-Authenticate", "Bearer")


@allowed()
def allow_has_a_line_for_each_method(_request: Request, response: Response) -> None:
    """A method that is not offered gets 405 with Allow in several lines."""
    if response.status == 405:
        response.header("Allow", "POST")
        response.headers += [("Allow", "HEAD"), ("Allow", "GET")]


@allowed()
def overrides_are_honoured(request: Request, response: Response) -> None:
    """A request is for the method that X-HTTP-Method-Override names, so that a GET may get 405 with Allow: GET."""
    if request.headers.get("x-http-method-override", "GET") not in {"GET", "HEAD", "POST"}:
        refuse(request, response, 405, "method_not_allowed", "Method not allowed")
        response.header("Allow", "GET, POST")
