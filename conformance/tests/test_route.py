"""The way to a server: header fields from the environment, CAs, client certificates, proxies, plain http."""

import itertools
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hostup_conformance.contract.refusal import what_stands_between
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.target import Target
from hostup_conformance.front.preparation import route_to, target_of
from hostup_conformance.front.reported_server import curl
from hostup_conformance.http import network
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Request
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.safe_text import unchanged
from hostup_conformance.mock import Mock
from running import options_with

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

ENVIRONMENT = Mock().environment()
HOST = "server.example"
SECRET = "the-secret-of-the-access-proxy"


@dataclass
class Served:
    """What a server was asked, header fields by their names in lower case."""

    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving(context: ssl.SSLContext | None = None, tunnel_to: int | None = None) -> Iterator[Served]:
    """Serve a fixed response on loopback; as a proxy, connect everything to one port."""
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_CONNECT(self) -> None:
            served.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if tunnel_to is None:
                self.send_error(403)
                return
            self.send_response(200)
            self.end_headers()
            with socket.create_connection(("127.0.0.1", tunnel_to)) as other:
                back = threading.Thread(target=copied, args=(other, self.connection))
                back.start()
                copied(self.connection, other)
                back.join()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of handshakes that fail on purpose."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        served.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield served
        finally:
            server.shutdown()


def copied(source: socket.socket, sink: socket.socket) -> None:
    """Copy what comes from one connection to the other, to its end."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates that sign themselves: server.pem and server.key, client.pem and client.key."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("server", "client"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1",
             "-keyout", f"{name}.key", "-out", f"{name}.pem"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    return folder


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "requests_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def server_context(certificates: Path, *, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates / "client.pem")
    return context


def target_with(base_url: str, environ: dict[str, str] | None = None, **options: Any) -> Target:
    target = Target.from_environment(base_url, ENVIRONMENT, plain_http=options.get("allow_plain_http", ()))
    return Target(**{**vars(target), "route": route_to(target, options_with(base_url, **options), environ or {})})


def asked(target: Target) -> Any:
    with closing(Wire(replace(target, live=True), Limits(pauses=()))) as wire:
        return wire.send(Request("GET", f"/api/v2/vps/{target.vps}/agent/exec"), purpose="", once=True)


def test_a_header_field_is_sent_and_redacted() -> None:
    with serving() as served:
        target = target_with(
            f"http://127.0.0.1:{served.port}", {"HOSTUP_HEADER_CF_ACCESS": SECRET}, header=["CF-Access"]
        )
        exchange = asked(target)
    assert served.asked[0][1]["cf-access"] == SECRET
    assert exchange.request.header("cf-access") is None
    assert SECRET in target.secrets
    assert SECRET not in repr(target)
    assert """-H 'CF-Access: '"$HOSTUP_HEADER_CF_ACCESS\"""" in curl(exchange, target).shown(unchanged)


def test_of_cookie_there_is_one_field() -> None:
    with serving() as served:
        target = target_with(f"http://127.0.0.1:{served.port}", {"HOSTUP_HEADER_COOKIE": "a=1"}, header=["Cookie"])
        with closing(Wire(replace(target, live=True), Limits())) as wire:
            path = f"/api/v2/vps/{target.vps}/agent/exec"
            wire.send(Request("GET", path, (("Cookie", "b=2"),)), purpose="", once=True)
    assert served.asked[0][1]["cookie"] == "b=2; a=1"


@pytest.mark.parametrize(
    ("name", "environ", "says"),
    [
        ("X-Gate", {}, "its value is missing; set HOSTUP_HEADER_X_GATE"),
        ("X-Gate: value", {}, "give the name of a header field alone"),
        ("authorization", {"HOSTUP_HEADER_AUTHORIZATION": "x"}, "the suite sets this header field itself"),
        ("X-Method-Override", {"HOSTUP_HEADER_X_METHOD_OVERRIDE": "POST"}, "each request one of another method"),
        ("X-Gate", {"HOSTUP_HEADER_X_GATE": f"key={ENVIRONMENT['HOSTUP_API_KEY']}"}, "has a key in it"),
        ("X-Gate", {"HOSTUP_HEADER_X_GATE": "secret\nvalue"}, "HOSTUP_HEADER_X_GATE contains a control character"),
    ],
)
def test_header_fields_that_cannot_be_sent(name: str, environ: dict[str, str], says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        target_with("http://127.0.0.1:9", environ, header=[name])
    assert "secret" not in str(caught.value)


def test_a_ca_is_trusted_by_option_or_variable(certificates: Path) -> None:
    file = str(certificates / "server.pem")
    with serving(server_context(certificates)) as served:
        url = f"https://127.0.0.1:{served.port}"
        assert "--ca-file" in (asked(target_with(url)).failure or "")
        assert asked(target_with(url, ca_file=file)).status == 200
        assert asked(target_with(url, {"SSL_CERT_FILE": file})).status == 200
        assert asked(target_with(url, {"REQUESTS_CA_BUNDLE": file})).status == 200


def test_a_host_name_may_end_in_a_dot(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "resolve", lambda *_: ["127.0.0.1"])
    with serving(server_context(certificates)) as served:
        target = target_with(f"https://{HOST}.:{served.port}", ca_file=str(certificates / "server.pem"))
        assert asked(target).status == 200


def test_a_handshake_that_fails_once_ends_nothing(certificates: Path) -> None:
    context, number = server_context(certificates), itertools.count()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        if next(number) % 3 == 1:
                            continue
                        with context.wrap_socket(connection, server_side=True) as secured:
                            secured.recv(65536)
                            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

        threading.Thread(target=serve, daemon=True).start()
        target = target_with(f"https://127.0.0.1:{listener.getsockname()[1]}", ca_file=str(certificates / "server.pem"))
        with closing(Wire(replace(target, live=True), Limits(pauses=(0.0,)))) as wire:
            for _ in range(4):
                wire.send(Request("GET", f"/api/v2/vps/{target.vps}/agent/exec"), purpose="")
    assert wire.stopped is None
    assert [(e.status, e.recovered) for e in wire.exchanges] == [
        *[(200, False), (None, True), (200, False)] * 2,
    ]  # fmt: skip


def test_a_client_certificate_is_shown(certificates: Path, tmp_path: Path) -> None:
    ca = str(certificates / "server.pem")
    pair = f"{certificates / 'client.pem'}:{certificates / 'client.key'}"
    both = tmp_path / "both.pem"
    both.write_text((certificates / "client.pem").read_text() + (certificates / "client.key").read_text())
    with serving(server_context(certificates, wants_client=True)) as served:
        url = f"https://127.0.0.1:{served.port}"
        assert "--client-cert" in (asked(target_with(url, ca_file=ca)).failure or "")
        assert asked(target_with(url, ca_file=ca, client_cert=pair)).status == 200
        assert asked(target_with(url, ca_file=ca, client_cert=str(both))).status == 200


@pytest.mark.parametrize(
    ("options", "environ", "says"),
    [
        ({"ca_file": "none.pem"}, {}, "--ca-file none.pem: No such file"),
        ({"ca_file": __file__}, {}, "it is not PEM"),
        ({}, {"SSL_CERT_FILE": "none.pem"}, "SSL_CERT_FILE none.pem: No such file"),
        ({"client_cert": "none.pem"}, {}, "--client-cert none.pem: No such file"),
        ({"client_cert": f"{__file__}:{__file__}"}, {}, "give the certificate in PEM and its key"),
    ],
)
def test_files_that_cannot_be_used(options: dict[str, str], environ: dict[str, str], says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        target_with("https://127.0.0.1:9", environ, **options)


def test_a_file_for_the_keys_of_connections_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "none/keys")
    with pytest.raises(Misconfigured, match="SSLKEYLOGFILE none/keys: No such file"):
        target_with("http://127.0.0.1:9")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize(
    ("name", "says"), [("SSLKEYLOGFILE", "it is a pipe"), ("SSL_CERT_FILE", "it is no plain file")]
)
def test_no_pipe_that_the_environment_names_is_waited_for(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv(name, str(tmp_path / "pipe"))
    with pytest.raises(Misconfigured, match=f"{name} .*: {says}"):
        target_with("https://127.0.0.1:9", {name: str(tmp_path / "pipe")})


def test_a_key_that_is_not_the_certificates(certificates: Path) -> None:
    with pytest.raises(Misconfigured, match="do not belong together"):
        target_with("https://127.0.0.1:9", client_cert=f"{certificates / 'client.pem'}:{certificates / 'server.key'}")


def test_a_proxy_is_used_and_its_password_redacted(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(server_context(certificates)) as served, serving(tunnel_to=served.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
        target = target_with(f"https://{HOST}", ca_file=str(certificates / "server.pem"))
        exchange = asked(target)
        with pytest.raises(
            Misconfigured, match=r"the proxy 127\.0\.0\.1 would see the key.*server\.example in NO_PROXY"
        ):
            target_with(f"http://{HOST}/prefix", allow_plain_http=[HOST])
        plain = asked(target_with(f"http://{HOST}/prefix", allow_plain_http=[HOST, "127.0.0.1"]))
        assert asked(target_with(f"http://127.0.0.1:{proxy.port}")).status == 200  # not through itself
    assert exchange.status == plain.status == 200
    assert exchange.response.surplus is None
    assert SECRET in target.secrets
    (connect, fields), (through, _), (direct, _) = proxy.asked
    assert connect == f"{HOST}:443"
    assert fields["proxy-authorization"].startswith("Basic ")
    assert through.startswith(f"http://{HOST}/prefix/api/v2/")
    assert direct.startswith("/api/v2/")
    assert "proxy-authorization" not in served.asked[0][1]


def test_a_proxy_that_does_not_connect_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:{proxy.port}")
        exchange = asked(target_with(f"https://{HOST}"))
    assert exchange.failure.startswith(f"the proxy http://127.0.0.1:{proxy.port} does not connect to the server: 403")
    assert exchange.lost == "proxy"
    assert "check the base URL and the proxy" in (what_stands_between([exchange]) or "")


def test_no_proxy_names_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example")
    assert target_with(f"https://{HOST}").route.proxy is None
    monkeypatch.delenv("NO_PROXY")
    assert target_with(f"https://{HOST}").route.proxy == "http://127.0.0.1:9"
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(Misconfigured, match=r"HTTPS_PROXY or ALL_PROXY is not .*server\.example in NO_PROXY"):
        target_with(f"https://{HOST}")


def test_plain_http_is_allowed_by_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    resources: Any = None
    assert (
        target_of(options_with("http://agent:8080", allow_plain_http=["Agent"]), resources).base_url
        == "http://agent:8080"
    )
    for host in ("[fd00::1]", "fd00::1"):
        target_of(options_with("http://[fd00::1]:8080", allow_plain_http=[host]), resources)
    with pytest.raises(Misconfigured, match=r"--allow-plain-http \[fd00::1\] "):
        target_of(options_with("http://[fd00::1]:8080"), resources)
    for allowed in ([], ["other"]):
        with pytest.raises(Misconfigured, match="--allow-plain-http agent"):
            target_of(options_with("http://agent:8080", allow_plain_http=allowed), resources)
