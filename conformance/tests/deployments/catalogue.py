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
GUNICORN = ("-m", "gunicorn", "-b", "127.0.0.1:@PORT@", "--threads", "4", "--log-level", "error")

# --- Python
add("fastapi", FASTAPI)
add("flask", python(*GUNICORN, "flask_app:app"), pip=("flask", "gunicorn"))
add("django", python(*GUNICORN, "django_app:application"), pip=("django", "gunicorn"))
add("aiohttp", python("aiohttp_app.py"), pip=("aiohttp",))
add("tornado", python("tornado_app.py"), pip=("tornado",))
add(
    "bottle",
    python("bottle_app.py"),
    pip=("bottle",),
    verdict="not_conformant",
    # Bottle itself fails on header fields whose bytes are no UTF-8, before the application sees them.
    deserves={
        "AUTH-03": "RFC 6750 section 3.1: 401, and not 500",
        "AUTH-02": "RFC 6750 section 3.1: 401, and not 500",
        "PROBLEM-01": "documentation, Responses, 500",
        "PROBLEM-02": "documentation, Responses, 500",
        "HTTP-08": "RFC 9110 section 15.6",
    },
)
add("hypercorn", python("-m", "hypercorn", "-b", "127.0.0.1:@PORT@", "fastapi_app:app"), pip=("fastapi", "hypercorn"))
add(
    "granian",
    python("-m", "granian", "--interface", "asgi", "--port", "@PORT@", "--log-level", "error", "fastapi_app:app"),
    pip=("fastapi", "granian"),
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
    add(name, server, programs=("node",), apt=("nodejs", "npm"), npm=packages)

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
add(
    "sinatra",
    Server(("puma", "-q", "-e", "production", "-b", "tcp://127.0.0.1:@PORT@", "config.ru"), folder=HERE / "ruby"),
    programs=("puma",),
    apt=("puma", "ruby-sinatra", "ruby-rackup"),
)
add(
    "php",
    Server(("php", "-S", "127.0.0.1:@PORT@", "index.php"), folder=HERE / "php"),
    programs=("php",),
    apt=("php-cli",),
)
add(
    "mojolicious",
    Server(("perl", "app.pl", "daemon", "-m", "production", "-l", "http://127.0.0.1:@PORT@"), folder=HERE / "perl"),
    programs=("/usr/share/perl5/Mojolicious.pm",),
    apt=("libmojolicious-perl",),
)
add("java", Server(("java", "Server.java"), folder=HERE / "java"), programs=("java",), apt=("openjdk-21-jdk-headless",))


# --- front ends, in front of FastAPI
def nginx(name: str) -> Server:
    """Return nginx with a configuration of the catalogue."""
    command = ("nginx", "-p", "@WORK@", "-e", "stderr", "-g", "daemon off;", "-c")
    return Server((*command, f"@WORK@/{name}.conf"))


NGINX = {"programs": ("nginx",), "apt": ("nginx-light",)}
add("nginx", FASTAPI, nginx("nginx"), **NGINX)
add("nginx-prefix", FASTAPI, nginx("nginx-prefix"), prefix="/cloud", **NGINX)
add("nginx-uri", FASTAPI, nginx("nginx-uri"), **NGINX)
add("nginx-pages", FASTAPI, nginx("nginx-pages"), **NGINX)
add(
    "nginx-limit",
    FASTAPI,
    nginx("nginx-limit"),
    **NGINX,
    deserves={"HTTP-08": "page, Responses: whoever is too fast gets 429, not 503"},
)
add("nginx-limit-429", FASTAPI, nginx("nginx-limit-429"), **NGINX)
add(
    "nginx-waf",
    FASTAPI,
    nginx("nginx-waf"),
    programs=("nginx", "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so", "/etc/modsecurity/crs/crs-setup.conf"),
    apt=("nginx", "libnginx-mod-http-modsecurity", "modsecurity-crs"),
)
add(
    "nginx-fpm",
    Server(("php-fpm8.4", "-R", "-y", "@WORK@/php-fpm.conf"), folder=HERE / "php"),
    nginx("nginx-fpm"),
    programs=("nginx", "php-fpm8.4", "/etc/nginx/fastcgi_params"),
    apt=("nginx-light", "php-fpm"),
)
add(
    "haproxy",
    FASTAPI,
    Server(("haproxy", "-db", "-q", "-f", "@WORK@/haproxy.cfg")),
    programs=("haproxy",),
    apt=("haproxy",),
)
add(
    "caddy",
    FASTAPI,
    Server(("caddy", "run", "--adapter", "caddyfile", "--config", "@WORK@/Caddyfile"), environment={"HOME": "@WORK@"}),
    programs=("caddy",),
    apt=("caddy",),
)
add(
    "apache",
    FASTAPI,
    Server(("apache2", "-D", "FOREGROUND", "-f", "@WORK@/apache.conf")),
    programs=("apache2",),
    apt=("apache2",),
)
add(
    "apache-waf",
    FASTAPI,
    Server(("apache2", "-D", "FOREGROUND", "-f", "@WORK@/apache-waf.conf")),
    programs=("apache2", "/usr/lib/apache2/modules/mod_security2.so", "/etc/modsecurity/crs/crs-setup.conf"),
    apt=("apache2", "libapache2-mod-security2", "modsecurity-crs"),
)
add(
    "lighttpd",
    FASTAPI,
    Server(("lighttpd", "-D", "-f", "@WORK@/lighttpd.conf")),
    programs=("lighttpd",),
    apt=("lighttpd",),
)
add(
    "varnish",
    FASTAPI,
    Server(("varnishd", "-F", "-n", "@WORK@/varnish", "-a", "127.0.0.1:@PORT@", "-f", "@WORK@/varnish.vcl")),
    programs=("varnishd", "gcc"),
    apt=("varnish", "gcc"),
)
add("squid", FASTAPI, Server(("squid", "-N", "-f", "@WORK@/squid.conf")), programs=("squid",), apt=("squid",))
POUND = Server(("pound", "-f", "@WORK@/pound.cfg"))
POUND_DESERVES = {
    "HTTP-15": "RFC 9110 section 15.5.6: its own 405 has no Allow",
    "HTTP-20": "RFC 9112 section 3: it ends the connection",
}
add("pound", FASTAPI, POUND, programs=("pound",), apt=("pound",), deserves=POUND_DESERVES)
# Five workers, each of which waits for the next request on its connection, and a slow application behind them.
SLOW = Server(("@SUITE@", "-m", "deployments.serve", "latency_100"), folder=HERE.parent)
add("pound-slow", SLOW, POUND, programs=("pound",), apt=("pound",), deserves=POUND_DESERVES)


# The same firewalls before starts: the name of a program is enough for a refusal by the second.
PLAIN = Server(("@SUITE@", "-m", "deployments.serve", "plain"), folder=HERE.parent)
for front in ("nginx-waf", "apache-waf"):
    before = DEPLOYMENTS.named(front)
    add(
        f"{front}-starts",
        PLAIN,
        before.servers[-1],
        programs=before.programs,
        apt=before.apt,
        options=("--allow-exec",),
        **({} if front == "nginx-waf" else {
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
