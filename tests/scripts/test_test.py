"""How scripts/test handles its steps."""

import pytest

from scripts.programs import commands
from scripts.programs import test as program
from scripts.programs.progress import Summary


def outcome(capsys, *steps, skipped=()):
    summary = Summary()
    for name, failures in steps:
        with summary.step(name) as failed:
            failed += failures
    status = program.report(summary, list(skipped))
    return status, capsys.readouterr().out


def test_all_passed_is_said_only_of_a_run_without_failures_and_without_skips(capsys):
    status, said = outcome(capsys, ("build", []), ("unit tests", []))
    assert status == 0 and "scripts/test: all passed" in said


def test_a_step_that_failed_is_named_and_makes_the_run_fail(capsys):
    status, said = outcome(capsys, ("unit tests", ["one"]), ("faults", []), skipped=["no namespaces"])
    assert status == 1 and "FAILED  unit tests" in said and "ok      faults" in said
    assert said.endswith("scripts/test: FAILED\n") and "passed" not in said


def test_what_was_skipped_is_listed_once_with_its_count(capsys):
    status, said = outcome(capsys, ("faults", []), skipped=["no namespaces", "no Node.js", "no namespaces"])
    assert status == 0
    assert "      1 no Node.js\n      2 no namespaces\n" in said
    assert "passed, but not whole: 3 skipped" in said


@pytest.mark.parametrize("day, between", [(0, 14), (4, 18), (5, 14), (20786, 15)])
def test_the_version_between_oldest_and_newest_changes_from_day_to_day(day, between):
    assert program.rotating([13, 14, 15, 16, 17, 18, 19], day) == [13, between, 19]


class Recorded(program.Tests):
    """Runs nothing; some steps are unavailable."""

    def __init__(self, builds=True, serves=True):
        super().__init__("release", None)
        self.ran = []
        self._builds, self._serves = builds, serves

    def build(self):
        return self._builds

    def servers(self):
        self.ran.append("servers")
        return self._serves


@pytest.mark.parametrize("tests, parts, ran", [
    (Recorded(), ["unit"], ["unit"]),
    (Recorded(), ["faults"], ["servers", "faults"]),
    (Recorded(), ["unit", "integration", "alerts"], ["unit", "servers", "integration", "alerts"]),
    (Recorded(serves=False), ["unit", "faults"], ["unit", "servers"]),
    (Recorded(builds=False), ["unit", "faults"], []),
])
def test_without_program_or_servers_the_rest_is_not_tried(monkeypatch, tests, parts, ran):
    for part in ("unit", "integration", "faults", "alerts"):
        monkeypatch.setitem(program._PARTS, part, lambda tests, part=part: tests.ran.append(part))
    program.run_tests(tests, parts)
    assert tests.ran == ran


@pytest.mark.parametrize("status, result", [(0, "ok     "), (3, "FAILED ")])
def test_clang_tidy_runs_beside_the_tests_with_the_time_that_they_leave_and_counts_like_them(
        monkeypatch, capsys, status, result):
    words = f"chrt --pid $$ | grep -o SCHED_IDLE; exit {status}"
    monkeypatch.setattr(program, "in_background", lambda *_: commands.in_background("sh", "-c", words))
    monkeypatch.setitem(program._PARTS, "unit", lambda tests: None)
    tests = Recorded()
    program.run_tests(tests, ["unit"], tidy=True)
    assert tests.summary.failed == bool(status)
    assert str(tests.summary).startswith(f"{result} clang-tidy")
    assert "SCHED_IDLE" in capsys.readouterr().out
