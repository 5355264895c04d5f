"""Makes the certificates of scenes with TLS, by the command openssl: Python's standard library cannot issue any."""

import atexit
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from hostup_conformance.clients.story import Certificate
from hostup_conformance.keeping.misconfigured import Misconfigured

#: How many days the right certificate is valid.
DAYS = 7
#: The variables by which programs learn of a CA: of OpenSSL, Go and Rust; of requests; of curl; and of Node.
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
#: What strict clients want to see in a certificate besides its name (RFC 5280, section 4.2.1).
EXTENSIONS = "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
#: The host of the scenes, and other hosts whose names begin and end like it.
HOST, OTHER_HOSTS = "localhost", ("localhost.example", "other-localhost", "other.localhost")
#: From when to when a certificate is valid that is not valid yet (UTCTime, RFC 5280, section 4.1.2.5.1).
EARLY = ("490101000000Z", "491231235959Z")
#: What `openssl ca` needs to know, which alone can issue a certificate for another time.
CA = """
[ca]
default_ca = own
[own]
database = issued.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
"""


class Certificates:
    """A CA and the certificates of the scenes, in a folder that goes with them."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="hostup-conformance-", ignore_cleanup_errors=True)
        self.ca = self._path("ca")
        self._self_signed("ca", "keyUsage=critical,keyCertSign,cRLSign")
        self._self_signed("self-signed", f"subjectAltName=DNS:{HOST}")
        # The name of the subject is not looked at where there are others (RFC 9110, section 4.3.4).
        for name, hosts, days in (("right", [HOST], DAYS), ("wrong-name", OTHER_HOSTS, DAYS), ("expired", [HOST], 0)):
            self._issue(name, hosts, "x509", "-req", "-sha256", "-days", str(days), "-CAcreateserial", "-CA", self.ca,
                        "-CAkey", self._path("ca", "key"))  # fmt: skip
        self._path("issued", "txt").write_text("", "ascii")
        self._path("ca", "cnf").write_text(CA, "ascii")
        self._issue("early", [HOST], "ca", "-batch", "-notext", "-config", self._path("ca", "cnf"), "-cert", self.ca,
                    "-keyfile", self._path("ca", "key"), "-startdate", EARLY[0], "-enddate", EARLY[1])  # fmt: skip
        #: From when on what is to have expired has, in seconds since 1970: it is valid for the second it was made in.
        self.expired_at = time.time() + 1

    def context(self, certificate: Certificate) -> ssl.SSLContext:
        """Return what a server needs to show a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._path(certificate), self._path(certificate, "key"))
        return context

    def _path(self, name: str, kind: str = "pem") -> Path:
        return Path(self.folder.name) / f"{name}.{kind}"

    def _self_signed(self, name: str, extension: str) -> None:
        options = f"req -x509 {NEW_KEY} -nodes -sha256 -days {DAYS} -addext {extension} -keyout"
        subject = ("-subj", f"/CN=hostup-conformance {name}")
        self._openssl(*options.split(), self._path(name, "key"), "-out", self._path(name), *subject)

    def _issue(self, name: str, hosts: Sequence[str], *command: str | Path) -> None:
        request, extensions = self._path(name, "csr"), self._path(name, "ext")
        options = f"req -new {NEW_KEY} -nodes -sha256 -subj /CN={HOST} -keyout"
        self._openssl(*options.split(), self._path(name, "key"), "-out", request)
        extensions.write_text(f"subjectAltName={','.join(f'DNS:{host}' for host in hosts)}\n{EXTENSIONS}", "ascii")
        self._openssl(*command, "-extfile", extensions, "-in", request, "-out", self._path(name))

    def _openssl(self, *arguments: str | Path) -> None:
        program = shutil.which("openssl")
        if program is None:
            raise Misconfigured("openssl is not installed")
        command, folder = [program, *arguments], self.folder.name
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - no shell
        if run.returncode:
            raise Misconfigured(f"openssl {arguments[0]} failed: {run.stderr.strip().splitlines()[-1:]}")


@cache
def certificates() -> Certificates:
    """Return the certificates of this process; raise `Misconfigured` where they cannot be made."""
    return Certificates()


@atexit.register
def remove() -> None:
    """Remove the certificates of this process, if it has made any."""
    if certificates.cache_info().currsize:
        certificates().folder.cleanup()


def missing() -> str | None:
    """Return why there can be no scenes with TLS, or None if there can."""
    try:
        certificates()
    except Misconfigured as error:
        return str(error)
    return None
