"""How the scripts run commands, and end them when interrupted."""

import signal
import sys

import pytest

from scripts.programs import commands
from tests.support.process import REPOSITORY, Process, eventually, processes_naming

# Interrupted like scripts/test. The server stands for processes that tests leave to end: it takes its time.
_INTERRUPTED = """
import sys
from scripts.programs import commands
from tests.support.process import interrupt_by_signals
interrupt_by_signals()
try:
    {call}
except KeyboardInterrupt:
    sys.exit(130)
"""
_SERVER = "trap \"sleep 0.5; echo down >{file}; exit 0\" TERM; echo up >{file}; while :; do sleep 0.1; done"
_CALLS = {
    "alone": "commands.run('sh', '-c', '({script}) & wait')",
    "side by side": "commands.run_beside({{'a': ['sh', '-c', {script!r}], 'b': ['sleep', 600]}}, print)",
}


def test_a_command_tells_its_status():
    assert commands.run("true") == 0
    assert commands.run("sh", "-c", "exit 3") == 3


def test_commands_side_by_side_are_told_as_each_ends_with_what_they_said(tmp_path):
    told = []
    gate = tmp_path / "gate"
    commands.run_beside(
        {"slow": ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.02; done; echo late >&2; exit 2"],
         "quick": ["echo", "early"]},
        lambda *words: (told.append(words), gate.touch()))
    assert told == [("quick", 0, "early\n"), ("slow", 2, "late\n")]


@pytest.mark.parametrize("how", _CALLS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_waits_until_its_servers_are_down_and_leaves_no_process(tmp_path, how, number):
    file = tmp_path / "server"
    call = _CALLS[how].format(script=_SERVER.format(file=file))
    run = Process([sys.executable, "-c", _INTERRUPTED.format(call=call)], cwd=REPOSITORY)
    try:
        eventually(lambda: file.exists() and file.read_text() == "up\n", 30, "the server")
        run.signal(number)
        assert run.wait(30) == 130, run.log_tail()
        assert file.read_text() == "down\n"
        assert processes_naming(str(file)) == []
    finally:
        run.terminate()
