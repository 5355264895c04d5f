"""Faults that leak."""

from base64 import b64encode

from hostup_conformance.mock import API_KEY, FOREIGN_VPS_ID
from stage import Request, Response

from faults import trips
from faults.start import ended


@trips("SAFETY-01")
def key_in_a_header(request: Request, response: Response) -> None:
    """The key comes back in a header."""
    if request.token == API_KEY:
        response.header("X-Debug-Auth", f"Bearer {request.token}")


@trips("SAFETY-01")
def key_in_the_reason_phrase(request: Request, response: Response) -> None:
    """The reason phrase of a refusal repeats the wrong credential."""
    if response.status == 401 and request.token:
        response.reason = f"No such key: {request.token}"


@trips("SAFETY-01")
def key_in_a_problem(request: Request, response: Response) -> None:
    """A problem repeats the wrong credential."""
    if response.status == 401 and response.is_problem:
        response.change(detail=f"The key {request.token} is not known.")


@trips("SAFETY-01")
def a_failure_that_passes_shows_the_key(request: Request, response: Response) -> None:
    """Every fifth request gets a 502 that repeats its key, and is served when it is sent again."""
    if request.nth() % 5 == 0 and request.method == "GET" and request.full and not response.is_output:
        response.become(502, f"<p>no upstream for {request.token}</p>".encode(), "text/html")


@trips("SAFETY-01")
def key_in_base64(_request: Request, response: Response) -> None:
    """A cookie contains the key in base64."""
    response.header("Set-Cookie", "who=" + b64encode(b"key:" + API_KEY.encode()).decode())


@trips("SAFETY-01")
def key_is_masked_badly(request: Request, response: Response) -> None:
    """A header field of each response has the key, with its last four characters masked."""
    if request.token == API_KEY:
        response.header("X-Caller", f"{request.token[:-4]}****")


@trips("SAFETY-02")
def stack_trace(_request: Request, response: Response) -> None:
    """A 404 shows a stack trace."""
    if response.status == 404 and response.is_problem:
        response.change(stack="Error: none\n    at find (/srv/app/node_modules/vps/index.js:10:15)")


@trips("SAFETY-02")
def trace_of_a_debug_mode(_request: Request, response: Response) -> None:
    """A 404 lists where it was made, with the slashes escaped as PHP does."""
    if response.status == 404 and response.is_problem:
        response.change(at="#0 /tmp/build/Router.php(208): App\\Vps->find()")
        response.body = response.body.replace(b"/", b"\\/")


@trips("SAFETY-02")
def trace_in_the_detail(_request: Request, response: Response) -> None:
    """A 400 shows a Python trace."""
    if response.status == 400 and response.is_problem:
        response.change(detail='Traceback (most recent call last):\n  File "/app/main.py", line 3, in poll')


@trips("SAFETY-02")
def instance_names_the_backend(_request: Request, response: Response) -> None:
    """Errors say under which address the application is reached behind its proxy."""
    if response.is_problem:
        response.change(instance=f"http://10.0.3.17:8080{response.json['instance']}")


@trips("SAFETY-02")
def polls_show_the_environment_of_the_server(_request: Request, response: Response) -> None:
    """A poll has the server's own record of the command, with the token for its hypervisor."""
    if response.is_output:
        response.change(job={"queue": "exec", "env": {"PVE_TOKEN": "root@pam!exec=5b1f6c0e"}})


@trips("SAFETY-02")
def list_has_the_root_password(_request: Request, response: Response) -> None:
    """The list has all columns of its table, the password among them that was made for the root of each VPS."""
    if response.status == 200 and "data" in response.json:
        response.change(data=[{**item, "rootPassword": "Tr0ub4dor&3"} for item in response.json["data"]])


@trips("SAFETY-02", starts=True)
def starts_show_a_query(_request: Request, response: Response) -> None:
    """The reply to a start says with which query it was stored."""
    if response.is_started:
        response.change(debug="SELECT id FROM jobs WHERE node = 'pve-07'")


@trips("SAFETY-03")
def output_in_the_refusal(request: Request, response: Response) -> None:
    """The 403 for a key with read:vm alone contains the output."""
    if response.status == 403 and request.reading and response.is_problem:
        response.change(extensions={"last": {"stdout": "root:x:0:0\n"}})


@trips("SAFETY-03", starts=True)
def probe_lists_commands(request: Request, response: Response) -> None:
    """The availability lists the commands that were polled, with their output."""
    if response.is_output and request.full:
        request.memory.setdefault("commands", []).append(response.json)
    elif response.is_availability:
        response.change(commands=request.memory.get("commands", []))


@trips("SAFETY-04")
def every_origin_with_credentials(request: Request, response: Response) -> None:
    """Any Origin is allowed, with credentials."""
    if "origin" in request.headers:
        response.header("Access-Control-Allow-Origin", request.headers["origin"])
        response.header("Access-Control-Allow-Credentials", "true")


@trips("SAFETY-05")
def output_is_public(_request: Request, response: Response) -> None:
    """Any cache may keep the output of a command."""
    if response.is_output:
        response.header("Cache-Control", "public, max-age=60")


@trips("SAFETY-05")
def output_is_kept_by_proxies(_request: Request, response: Response) -> None:
    """Proxies may keep the output of a command for a minute."""
    if response.is_output:
        response.header("Cache-Control", "s-maxage=60, max-age=0")


@trips("SAFETY-02")
def exception_is_the_detail(request: Request, response: Response) -> None:
    """The detail of a 400 is the text of an exception."""
    if response.status == 400 and response.is_problem:
        response.change(detail=f"invalid literal for int() with base 10: {request.pid!r}")


@trips("SAFETY-02")
def exception_names_its_class(request: Request, response: Response) -> None:
    """The detail of a 400 is the default text of the framework."""
    if response.status == 400 and response.is_problem:
        response.change(
            detail=f"Failed to convert value of type 'java.lang.String' to 'int'; For input string: {request.pid!r}"
        )


@trips("SAFETY-02")
def reason_names_the_socket(_request: Request, response: Response) -> None:
    """The reason is the error of the server's own request to the agent."""
    if response.is_availability and not response.json["available"]:
        response.change(reason="connect() to /var/run/qemu-server/100.qga failed: timeout")


@trips("SAFETY-06")
def key_is_in_the_environment(request: Request, response: Response) -> None:
    """The commands of the guest inherit the server's environment, and with it the key."""
    if ended(request, response, "environment"):
        response.change(stdout="it is done")


@trips("SAFETY-08")
def commands_inherit_passwords(request: Request, response: Response) -> None:
    """The commands of the guest inherit the server's environment, and with it the password of its database."""
    if ended(request, response, "environment"):
        response.change(stdout="DB_PASSWORD STRIPE_SECRET_KEY done")


@trips("SAFETY-07")
def owner_is_in_the_refusal(request: Request, response: Response) -> None:
    """The 403 for a VPS of another account says whose it is."""
    if response.is_problem and request.vps == FOREIGN_VPS_ID and request.full:
        response.change(detail="The VPS shop (192.0.2.77) belongs to anna.berg@shop.example.")


@trips("SAFETY-07")
def owner_is_a_member_of_the_refusal(request: Request, response: Response) -> None:
    """The refusal for a VPS of another account has members of that VPS."""
    if response.is_problem and request.vps == FOREIGN_VPS_ID and request.full:
        response.change(extensions={"vps": {"ownerName": "Anna Berg", "hostname": "shop-1"}})


@trips("SAFETY-07")
def a_404_suggests_the_vps_of_another_account(request: Request, response: Response) -> None:
    """The 404 of an unknown VPS names one that is not the caller's."""
    if response.status == 404 and response.is_problem and request.full and request.vps != FOREIGN_VPS_ID:
        response.change(detail=f"No such VPS. Did you mean {FOREIGN_VPS_ID}?")


@trips("SAFETY-02")
def reason_is_the_request_to_the_hypervisor(_request: Request, response: Response) -> None:
    """The reason quotes the server's own request, its credentials included."""
    if response.is_availability and not response.json["available"]:
        response.change(reason="GET https://root@pam!exec=5b1f6c0e@pve-07:8006/api2/json/nodes/pve-07: 500")


@trips("SAFETY-02")
def detail_says_what_was_not_reached(_request: Request, response: Response) -> None:
    """The detail of a 404 is the error of the server's own request, as Node has it."""
    if response.status == 404 and response.is_problem:
        response.change(detail="connect ECONNREFUSED 10.0.3.7:8006")
