"""The catalogue: how each deployment is started, what it needs, and what the suite should say of it.

A server is written from the endpoint's documentation as a developer of its framework would, with the framework's own
errors where the documentation is silent. All read the same environment: the variables that name a target, PORT, and
WORK, a folder for what they write.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hostup_conformance.judging.catalogue import Catalogue

from deployments.habits import HABITS

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
#: Where what pip and npm install goes, and the reports; git ignores it.
KEPT = ROOT / ".deployments"
PYTHON = KEPT / "python" / "bin" / "python"
#: Places are written so in commands and configurations.
PLACES = {"@HERE@": str(HERE), "@KEPT@": str(KEPT), "@PYTHON@": str(PYTHON), "@SUITE@": sys.executable}


@dataclass(frozen=True)
class Server:
    """A process: its command with @PORT@, @WORK@ and @UPSTREAM@ (the port of the server that is started before it)."""

    command: tuple[str, ...]
    #: A command that is run before it, and must end well.
    build: tuple[str, ...] = ()
    folder: Path = HERE
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Deployment:
    """A correct server in a real stack: its processes in the order in which they start, the last one is asked."""

    name: str
    servers: tuple[Server, ...]
    #: Programs, and files that are named by their whole path.
    programs: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    prefix: str = ""
    options: tuple[str, ...] = ()
    verdict: str = "conformant"
    #: What it deserves, requirement by requirement, with the reason.
    deserves: Mapping[str, str] = field(default_factory=dict)


DEPLOYMENTS: Catalogue[Deployment] = Catalogue(__name__, "deployment")


def add(name: str, *servers: Server, **facts: Any) -> None:
    """Register a deployment; the facts are fields of `Deployment`."""
    DEPLOYMENTS.add(name, Deployment(name, servers, **facts))


def python(*arguments: str) -> Server:
    """Return a Python program with the packages of the catalogue."""
    return Server(("@PYTHON@", *arguments), folder=HERE / "python")


FASTAPI = Server(
    ("@SUITE@", "-m", "uvicorn", "fastapi_app:app", "--port", "@PORT@", "--log-level", "error"), folder=HERE / "python"
)
#: FastAPI and Tornado have no HEAD where a GET is declared.
NO_HEAD = {"HTTP-22": "RFC 9110 section 9.1"}
GUNICORN = ("-m", "gunicorn", "-b", "127.0.0.1:@PORT@", "--threads", "4", "--log-level", "error")

# --- Python
add("fastapi", FASTAPI, deserves=NO_HEAD)
add("flask", python(*GUNICORN, "flask_app:app"), pip=("flask", "gunicorn"))
add("django", python(*GUNICORN, "django_app:application"), pip=("django", "gunicorn"))
add("aiohttp", python("aiohttp_app.py"), pip=("aiohttp",))
add("tornado", python("tornado_app.py"), pip=("tornado",), deserves=NO_HEAD)
add(
    "bottle",
    python("bottle_app.py"),
    pip=("bottle",),
    # Bottle itself fails on header fields whose bytes are no UTF-8, before the application sees them.
    deserves={"HTTP-08": "RFC 9110 section 15.6"},
)
add(
    "hypercorn",
    python("-m", "hypercorn", "-b", "127.0.0.1:@PORT@", "fastapi_app:app"),
    pip=("fastapi", "hypercorn"),
    deserves=NO_HEAD,
)
add(
    "granian",
    python("-m", "granian", "--interface", "asgi", "--port", "@PORT@", "--log-level", "error", "fastapi_app:app"),
    pip=("fastapi", "granian"),
    deserves=NO_HEAD,
)

# --- Node. Modules are looked for beside the file, so the runner copies it to where npm installed.
for name, packages in {
    "node": (),
    "express": ("express",),
    "fastify": ("fastify",),
    "hono": ("hono", "@hono/node-server"),
}.items():
    file = "http.mjs" if name == "node" else f"{name}.mjs"
    server = Server(("node", f"@KEPT@/node/run/{file}"), environment={"NODE_ENV": "production"})
    # They read a number as JavaScript does, a hexadecimal one too.
    deserves = {"PID-14": "inferred; documentation, Parameters, pid"} if name in {"express", "fastify"} else {}
    add(name, server, programs=("node",), apt=("nodejs", "npm"), npm=packages, deserves=deserves)

# --- others
add(
    "go",
    Server(
        ("@WORK@/server",),
        build=("go", "build", "-o", "@WORK@/server", "."),
        folder=HERE / "go",
        environment={"GOTOOLCHAIN": "local", "GOCACHE": str(KEPT / "go"), "GOFLAGS": "-buildvcs=false"},
    ),
    programs=("go",),
    apt=("golang-go",),
)


def language(name: str, folder: str, *command: str, **facts: Any) -> None:
    """Add a server in another language, started by a program."""
    add(name, Server(command, folder=HERE / folder), **{"programs": command[:1], **facts})


PUMA = ("puma", "-q", "-e", "production", "-b", "tcp://127.0.0.1:@PORT@", "config.ru")
language(
    "sinatra",
    "ruby",
    *PUMA,
    apt=("puma", "ruby-sinatra", "ruby-rackup"),
    deserves={"HTTP-17": "RFC 9110 section 6.6.1"},  # Puma sends no Date
)
language("php", "php", "php", "-S", "127.0.0.1:@PORT@", "index.php", apt=("php-cli",))
MOJOLICIOUS = ("perl", "app.pl", "daemon", "-m", "production", "-l", "http://127.0.0.1:@PORT@")
MODULE = "/usr/share/perl5/Mojolicious.pm"
language("mojolicious", "perl", *MOJOLICIOUS, programs=(MODULE,), apt=("libmojolicious-perl",))
language("java", "java", "java", "Server.java", apt=("openjdk-21-jdk-headless",))


# --- front ends, in front of FastAPI
def front(name: str, *command: str, deserves: Mapping[str, str] = NO_HEAD, **facts: Any) -> None:
    """Add a front end, started by a program whose package has the front end's name unless another is given."""
    add(name, FASTAPI, Server(command), **{"programs": command[:1], "apt": (name,), "deserves": deserves, **facts})


def nginx(name: str) -> tuple[str, ...]:
    """Return the command for nginx with a configuration of the catalogue."""
    return ("nginx", "-p", "@WORK@", "-e", "stderr", "-g", "daemon off;", "-c", f"@WORK@/{name}.conf")


for name in ("nginx", "nginx-uri", "nginx-pages", "nginx-limit-429"):
    front(name, *nginx(name), apt=("nginx-light",))
front("nginx-prefix", *nginx("nginx-prefix"), prefix="/cloud", apt=("nginx-light",))
TOO_FAST = NO_HEAD | {"HTTP-08": "page, Responses: whoever is too fast gets 429, not 503"}
front("nginx-limit", *nginx("nginx-limit"), apt=("nginx-light",), deserves=TOO_FAST)
RULES = "/etc/modsecurity/crs/crs-setup.conf"
front(
    "nginx-waf",
    *nginx("nginx-waf"),
    programs=("nginx", "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so", RULES),
    apt=("nginx", "libnginx-mod-http-modsecurity", "modsecurity-crs"),
)
add(
    "nginx-fpm",
    Server(("php-fpm8.4", "-R", "-y", "@WORK@/php-fpm.conf"), folder=HERE / "php"),
    Server(nginx("nginx-fpm")),
    programs=("nginx", "php-fpm8.4", "/etc/nginx/fastcgi_params"),
    apt=("nginx-light", "php-fpm"),
)
front("haproxy", "haproxy", "-db", "-q", "-f", "@WORK@/haproxy.cfg")
CADDY = ("caddy", "run", "--adapter", "caddyfile", "--config", "@WORK@/Caddyfile")
add(
    "caddy",
    FASTAPI,
    Server(CADDY, environment={"HOME": "@WORK@"}),
    programs=("caddy",),
    apt=("caddy",),
    deserves=NO_HEAD,
)
front("apache", "apache2", "-D", "FOREGROUND", "-f", "@WORK@/apache.conf", apt=("apache2",))
front(
    "apache-waf",
    *("apache2", "-D", "FOREGROUND", "-f", "@WORK@/apache-waf.conf"),
    programs=("apache2", "/usr/lib/apache2/modules/mod_security2.so", RULES),
    apt=("apache2", "libapache2-mod-security2", "modsecurity-crs"),
)
front("lighttpd", "lighttpd", "-D", "-f", "@WORK@/lighttpd.conf")
VARNISH = ("varnishd", "-F", "-n", "@WORK@/varnish", "-a", "127.0.0.1:@PORT@", "-f", "@WORK@/varnish.vcl")
front("varnish", *VARNISH, programs=("varnishd", "gcc"), apt=("varnish", "gcc"))
front("squid", "squid", "-N", "-n", "hostup@PORT@", "-f", "@WORK@/squid.conf")
POUND = ("pound", "-f", "@WORK@/pound.cfg")
POUND_DESERVES = {
    "HTTP-15": "RFC 9110 section 15.5.6: its own 405 has no Allow",
    "HTTP-20": "RFC 9112 section 3: it ends the connection",
}
front("pound", *POUND, deserves=NO_HEAD | POUND_DESERVES)
# Five workers, each of which waits for the next request on its connection, and a slow application behind them.
SLOW = Server(("@SUITE@", "-m", "deployments.serve", "latency_100"), folder=HERE.parent)
add("pound-slow", SLOW, Server(POUND), programs=("pound",), apt=("pound",), deserves=POUND_DESERVES)


# The same firewalls before starts: the name of a program is enough for a refusal by the second.
PLAIN = Server(("@SUITE@", "-m", "deployments.serve", "plain"), folder=HERE.parent)
for waf in ("nginx-waf", "apache-waf"):
    before = DEPLOYMENTS.named(waf)
    add(
        f"{waf}-starts",
        PLAIN,
        before.servers[-1],
        programs=before.programs,
        apt=before.apt,
        options=("--allow-exec",),
        **({} if waf == "nginx-waf" else {
            "verdict": "not_conformant",
            "deserves": dict.fromkeys(
                ("PID-09", "PROBLEM-01", "PROBLEM-02"), "documentation of the POST, 400: a page for what it cannot read"
            ),
        }),
    )  # fmt: skip


# --- habits: one Python server, which each time does as some deployment does
for habit in HABITS.all().values():
    add(
        habit.name.replace("_", "-"),
        Server(("@SUITE@", "-m", "deployments.serve", habit.name), folder=HERE.parent),
        options=("--allow-exec",) if habit.starts else (),
        verdict=habit.verdict,
        deserves=habit.deserves,
    )
