"""Certificate authorities for tests, which issue any certificate that a test needs, good or bad."""

import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

HOUR = 3600
DAY = 24 * HOUR

# Required of an authority by strict verification, as in Python from 3.13 on.
_AUTHORITY = "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_CONFIGURATION = """
[ca]
default_ca = throwaway
[throwaway]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
copy_extensions = copy
policy = names
x509_extensions = identifiers
[names]
commonName = supplied
[identifiers]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def _openssl(directory, *words):
    return subprocess.run(
        ["openssl", *map(str, words)], cwd=directory, capture_output=True, text=True, check=True
    ).stdout


def _when(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


@dataclass(frozen=True)
class Certificate:
    """A certificate in PEM, and its key beside it."""

    path: Path

    @property
    def key(self):
        return self.path.with_suffix(".key")

    @property
    def serial(self):
        return _openssl(".", "x509", "-noout", "-serial", "-in", self.path).strip().partition("=")[2]

    @property
    def not_after(self):
        """Unix time."""
        text = _openssl(".", "x509", "-noout", "-enddate", "-in", self.path)
        return ssl.cert_time_to_seconds(text.strip().partition("=")[2])


class Authority:
    """One authority in its own directory; self-signed, or signed by `issuer`."""

    def __init__(self, directory, name, issuer=None):
        self._directory = Path(directory)
        self._directory.mkdir(exist_ok=True)
        self._issued = 0
        if issuer:
            self.certificate = issuer.issue(name, authority=True)
        else:
            self.certificate = self_signed(self._directory / "ca.crt", name, sans=None)
        (self._directory / "ca.conf").write_text(_CONFIGURATION)
        (self._directory / "index.txt").touch()

    @property
    def path(self):
        return self.certificate.path

    def _sign(self, *words):
        _openssl(
            self._directory, "ca", "-batch", "-notext", "-config", "ca.conf", "-cert", self.path,
            "-keyfile", self.certificate.key, *words,
        )

    def issue(self, name="leaf", sans="DNS:localhost,IP:127.0.0.1", begins=-HOUR, ends=29 * DAY,
              authority=False, file=None):
        """A certificate that is valid between these times, in seconds from now; in FILE.crt and FILE.key if named."""
        self._issued += 1
        made = Certificate(self._directory / f"{file or self._issued}.crt")
        extensions = ("basicConstraints=critical,CA:TRUE", _AUTHORITY) if authority else (f"subjectAltName={sans}",)
        request = made.path.with_suffix(".csr")
        _openssl(
            self._directory, "req", "-new", *_KEY, "-subj", f"/CN={name}",
            *(word for extension in extensions for word in ("-addext", extension)),
            "-keyout", made.key, "-out", request,
        )
        now = time.time()
        self._sign("-startdate", _when(now + begins), "-enddate", _when(now + ends),
                   "-in", request, "-out", made.path)
        return made

    def revocation_list(self, next_update):
        """Makes a list that revokes nothing and announces the next one for that Unix time; returns its path."""
        self._issued += 1
        path = self._directory / f"{self._issued}.crl"
        self._sign("-gencrl", "-crl_nextupdate", _when(next_update), "-out", path)
        return path


def self_signed(path, name, sans="DNS:localhost,IP:127.0.0.1"):
    made = Certificate(Path(path))
    _openssl(
        ".", "req", "-x509", *_KEY, "-days", 30, "-subj", f"/CN={name}",
        *(("-addext", f"subjectAltName={sans}") if sans else ()), "-addext", _AUTHORITY,
        "-keyout", made.key, "-out", made.path,
    )
    return made


def for_a_server(directory):
    """Certificates for a server on loopback and its client, in NAME.crt and NAME.key, from one authority (ca.crt)."""
    authority = Authority(directory, "throwaway CA")
    authority.issue("localhost", file="server")
    authority.issue("db.example", "DNS:db.example", file="wronghost")
    authority.issue("localhost", begins=-10 * DAY, ends=-DAY, file="expired")
    authority.issue("localhost", begins=-28 * DAY, ends=2 * DAY, file="ending")
    authority.issue("exporter", "DNS:client", file="client")
