"""An exporter with --web.config.file: TLS and logins in front of its pages."""

import base64
import ctypes
import ctypes.util
import http.client
import json
import ssl

from tests.support.exporter import Exporter
from tests.support.process import eventually, request_on

# No target is queried: these tests are about the exporter's own clients.
_NOTHING_TO_WATCH = {"targets": [{"name": "none", "dsn": "host=127.0.0.1 port=1 user=x"}]}


def bcrypt(password, cost=10):
    """A hash for `basic_auth_users`."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt"))
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), f"$2b${cost:02}$abcdefghijklmnopqrstuu".encode()).decode()


def login(user, password):
    """The header for a login."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def client_context(authority, certificate=None):
    """A client that trusts only the `authority` and presents the `certificate`, if any."""
    context = ssl.create_default_context(cafile=str(authority.path))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's default from 3.13 on
    if certificate:
        context.load_cert_chain(str(certificate.path), str(certificate.key))
    return context


class SecuredExporter(Exporter):
    """Like Exporter, with a web configuration as a dict. It counts as started once it listens.

    `context` is the clients' TLS context; without `tls_server_config` it is None.
    """

    def __init__(self, web, *arguments, context=None, config=None, port=None):
        super().__init__(config or _NOTHING_TO_WATCH, *arguments, port=port)
        self.web_path = self.directory / "web.yml"
        self.context = context
        self._arguments = (f"--web.config.file={self.web_path}", *arguments)
        self.write_web(web)

    def write_web(self, web):
        self.web_path.write_text(web if isinstance(web, str) else json.dumps(web, indent=2))

    def _wait_ready(self):
        eventually(lambda: self.process.returncode is not None or
                   any("msg=listening" in line for line in self.log_lines), what="listening")
        assert self.process.returncode is None, self.process.log_tail()

    def get(self, path, headers=None, method="GET", timeout=30.0, context=None):
        context = context or self.context
        if context:
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        return request_on(connection, path, headers, method)
