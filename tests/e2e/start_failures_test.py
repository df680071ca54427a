"""What keeps the exporter from starting: a non-zero exit, and a message that says what to do."""

import os
import re
import shutil
import socket
import subprocess

import pytest

from tests.support.exporter import binary, run

GOOD = "targets:\n  - name: one\n    dsn: host=127.0.0.1 sslmode=disable\n"


def serve(path, *arguments):
    return run(f"--config.file={path}", "--web.listen-address=127.0.0.1:0", *arguments)


def expect(words, output):
    assert [word for word in words if word not in output] == [], output


@pytest.mark.parametrize("text, place, words", [
    ("targets:\n  - name: one\n    dsm: host=x\n", 3, ["dsm", "dsn"]),
    (GOOD + "global: {scrape_timeout: 10}\n", 4, ["global.scrape_timeout", "unit", "100ms to 10m"]),
    (GOOD + "collectors: {sesions: true}\n", 4, ["sesions", "sessions"]),
    (GOOD + "  - name: one\n    dsn: host=y\n", 4, ["one", "name"]),
    (GOOD + "  - name: 'two\n", 4, ["quote"]),
    (GOOD.replace("disable", "prefer"), 3, ["sslmode=prefer", "verify-full"]),
    (GOOD + "    labels: {target: x}\n", 4, ["target"]),
    ("global: {}\n", None, ["targets"]),
    ("", None, ["targets"]),
], ids=["unknown key", "no unit", "unknown collector", "name twice", "open quote", "sslmode", "reserved label",
        "no targets", "empty"])
def test_a_bad_configuration_names_file_line_and_what_is_allowed(text, place, words, tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(text)
    outputs = []
    for status, output in (serve(path), run("check-config", str(path))):
        assert status == 1
        expect([f"{path}:{place}" if place else str(path), *words], output)
        outputs.append(output)
    assert "Traceback" not in outputs[0] and "terminate called" not in outputs[0]


def test_check_config_says_that_a_good_file_is_good(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(GOOD)
    assert run("check-config", str(path)) == (0, f"{path}: valid, 1 target")


def test_a_configuration_that_cannot_be_read_says_why(tmp_path):
    missing, directory = tmp_path / "none.yml", tmp_path / "directory.yml"
    directory.mkdir()
    for path, words in ((missing, ["No such file"]), (directory, ["directory"]), ("/dev/zero", ["/dev/zero"])):
        for status, output in (serve(path), run("check-config", str(path))):
            assert status == 1
            expect([str(path), *words], output)


@pytest.mark.parametrize("kind", ["named pipe", "pipe of a shell", "symbolic link to a named pipe"])
def test_a_pipe_instead_of_a_file_is_refused_at_once(kind, tmp_path):
    path = tmp_path / "pipe.yml"
    os.mkfifo(path)
    if kind.startswith("symbolic"):
        (tmp_path / "link.yml").symlink_to(path)
        path = tmp_path / "link.yml"
    reading, writing = os.pipe()
    if kind.startswith("pipe"):
        path = f"/proc/{os.getpid()}/fd/{reading}"
    try:
        for arguments in (["check-config", str(path)], ["check-config", f"--web.config.file={path}"],
                          [f"--config.file={path}"], [f"--web.config.file={path}"]):
            if arguments[0] != "check-config":
                arguments.append("--web.listen-address=127.0.0.1:0")
            status, output = run(*arguments, timeout=20)
            assert status == 1
            expect([f"{path}: is not a regular file"], output)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_configuration_may_be_a_symbolic_link_to_a_file(tmp_path):
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "config.yml").write_text(GOOD)
    path = tmp_path / "config.yml"
    path.symlink_to("..data/config.yml")
    assert run("check-config", str(path)) == (0, f"{path}: valid, 1 target")


def test_a_configuration_of_another_user_says_that_it_may_not_be_read(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(GOOD)
    path.chmod(0o000)
    command, program = [], binary()
    if os.geteuid() == 0:
        # Root may read everything, and `nobody` perhaps not the build directory.
        program = shutil.copy(program, tmp_path)
        for directory in (tmp_path, *tmp_path.parents[:-2]):
            directory.chmod(0o755)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    result = subprocess.run([*command, program, "check-config", path], capture_output=True, text=True, check=False)
    assert result.returncode == 1, result
    expect([str(path), "Permission denied"], result.stderr)


def test_a_busy_port_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(GOOD)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        status, output = run(f"--config.file={path}", f"--web.listen-address={address}")
    assert status == 1
    expect([address, "in use", "--web.listen-address"], output)


def test_an_address_that_is_not_ours_is_named(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(GOOD)
    status, output = run(f"--config.file={path}", "--web.listen-address=192.0.2.1:10187")
    assert status == 1
    expect(["192.0.2.1:10187"], output)


@pytest.mark.parametrize("arguments, words", [
    (["--confg.file=x"], ["--confg.file", "--config.file"]),
    (["--web.listen-address=localhost"], ["--web.listen-address", "localhost"]),
    (["--web.listen-address=:99999"], ["99999"]),
    (["--log.level=loud"], ["loud", "debug, info, warn, error"]),
    (["--log.format=xml"], ["xml", "logfmt, json"]),
    (["--web.max-requests=0"], ["--web.max-requests", "1 to 256"]),
    (["--web.telemetry-path=/"], ["--web.telemetry-path"]),
    (["--config.file"], ["--config.file"]),
    (["dance"], ["dance", "serve"]),
    (["check-config"], ["check-config FILE"]),
    (["list", "nothing"], ["nothing", "collectors"]),
])
def test_a_bad_command_line_is_2_and_says_what_is_allowed(arguments, words):
    status, output = run(*arguments)
    assert status == 2
    expect([*words, "--help"], output)


def test_help_and_version_always_work():
    status, output = run("--help")
    assert status == 0 and ":10187" in output
    assert all(len(line) <= 100 for line in output.splitlines())
    status, output = run("--version")
    assert status == 0 and re.match(r"pgconn_exporter, version \d+\.\d+", output)
