"""The container image's health check, run as the image would run it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.peers import Rude, refusing
from tests.support.process import REPOSITORY
from tests.support.secured import SecuredExporter, bcrypt, client_context

DOCKERFILE = Path(REPOSITORY, "Dockerfile").read_text()
COMMAND = json.loads(re.search(r"^HEALTHCHECK .*?CMD (\[.*?\])\n", DOCKERFILE, re.DOTALL | re.MULTILINE)[1])


def is_healthy(port):
    environment = {**os.environ, "HEALTHCHECK_PORT": str(port)}
    return subprocess.run(COMMAND, env=environment, capture_output=True, timeout=30, check=False).returncode == 0


def test_an_exporter_that_answers_is_healthy(run_exporter):
    assert is_healthy(run_exporter({"targets": [{"name": "down", "dsn": "host=127.0.0.1 port=1 user=x"}]}).port)


@pytest.mark.parametrize("secured_by", ["logins", "TLS"])
def test_an_exporter_that_asks_for_more_than_the_check_has_is_healthy(secured_by, tmp_path):
    authority = Authority(tmp_path / "ca", "authority")
    leaf = authority.issue()
    web, context = {
        "logins": ({"basic_auth_users": {"alice": bcrypt("secret", cost=4)}}, None),
        "TLS": ({"tls_server_config": {"cert_file": str(leaf.path), "key_file": str(leaf.key)}},
                client_context(authority)),
    }[secured_by]
    with SecuredExporter(web, context=context) as exporter:
        assert is_healthy(exporter.port)


def test_a_missing_exporter_and_a_stuck_one_are_not_healthy():
    with refusing() as port:
        assert not is_healthy(port)
    for answer in (b"", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"junk\r\n"):
        with Rude(answer) as peer:
            assert not is_healthy(peer.port)


def test_every_folder_that_the_build_needs_gets_into_the_image():
    root = Path(REPOSITORY)
    folders = re.findall(r"^add_subdirectory\((\w+)\)", (root / "CMakeLists.txt").read_text(), re.MULTILINE)
    let_in = (root / ".dockerignore").read_text().splitlines()
    assert [folder for folder in folders if f"!{folder}/" not in let_in] == []
