"""Each check of scripts/lint finds what it should."""

import subprocess

import pytest

from scripts.programs import arrows, house_rules, lint

_WORD = "TO" + "DO"  # put together here, or the check would find this file
_MIRROR = "deb.debian" + ".org"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """checkout("metrics/a.cc", TEXT) adds a file to the git checkout that is the working directory."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)

    def add(name, text, mode=0o644):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)

    return add


def found_arrows(may_include=None):
    return arrows.findings(house_rules.files("*.cc", "*.h"), may_include)


def test_files_are_those_of_git_and_new_ones_but_none_that_it_ignores(checkout):
    checkout(".gitignore", "build/\n")
    checkout("build/a.cc", "")
    checkout("a b.cc", "")
    assert house_rules.files("*.cc") == ["a b.cc"]


def test_without_git_nothing_is_called_clean(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(house_rules.GitFailed, match="not a git repository"):
        house_rules.files("*.cc")


def test_scripts_are_known_by_their_first_line_whatever_their_name(checkout):
    checkout("one", "#!/usr/bin/env bash\n")
    checkout("two.of", "#!/bin/sh\n")
    checkout("three", "#!/usr/bin/python3\n")
    checkout("four", "bash\n")
    assert house_rules.scripts("sh", "bash") == ["one", "two.of"]
    assert house_rules.scripts("python3") == ["three"]


@pytest.mark.parametrize("folder, include, allowed", [
    ("metrics", "metrics/batch.h", True),
    ("metrics", "config/schema.h", False),
    ("collectors", "postgres/rows.h", True),
    ("collectors", "probes/prober.h", False),
    ("probes", "probes/drops/drop.h", True),
    ("probes/drops", "probes/prober.h", False),  # its own line, not that of the folder it lies in
    ("exporter/web", "exporter/pages/pages.h", False),
    ("exporter/web", "exporter/website/pages.h", False),
    ("exporter/cli", "exporter/pages/pages.h", True),
    ("config/yaml", "config/schema.h", True),  # has no line of its own
    ("config/yaml", "metrics/batch.h", False),
])
def test_an_include_against_the_arrows_is_found(checkout, folder, include, allowed):
    checkout(f"{folder}/a.cc", f'// Why.\n#include <vector>\n#include "{include}"\n')
    found = found_arrows()
    assert (found == []) == allowed
    assert allowed or f"{folder}/a.cc:3: includes {include}" in found[0]


def test_a_folder_without_arrows_is_found(checkout):
    checkout("attic/a.h", "")
    assert "no line in scripts/programs/arrows.py" in found_arrows()[0]


@pytest.mark.parametrize("name, text, why", [
    ("a.py", f"# {_WORD}: later\n", "finish it"),
    ("Dockerfile", f"FROM {_MIRROR}\n", "name no mirror"),
    ("web/a.h", "#include <spdlog/spdlog.h>\n", "external header-only giant"),
    ("web/a.cc", "if (co_await ready()) return;\n", "await into a variable"),
    ("web/a.cc", "#include <libpq-fe.h>\n", "libpq is for postgres/ alone"),
])
def test_what_is_forbidden_is_found_with_its_place_and_why(checkout, name, text, why):
    checkout(name, f"\n{text}")
    [found] = house_rules.forbidden()
    assert found.startswith(f"{name}:2:") and why in found


def test_what_is_allowed_elsewhere_is_not_forbidden_there(checkout):
    checkout("web/a.cc", "#include <spdlog/spdlog.h>\nconst auto x = co_await ready();\n")
    checkout("postgres/a.cc", "#include <libpq-fe.h>\n")
    checkout("dashboards/package-lock.json", "https://registry.npmjs" + ".org\n")
    assert house_rules.forbidden() == []


@pytest.mark.parametrize("name, first", [("a.cc", ""), ("a.py", ""), ("a.sh", ""), ("command", "#!/bin/sh")])
def test_a_file_that_is_too_long_is_found(checkout, name, first):
    checkout(name, first + "\n" * house_rules.LONGEST)
    assert house_rules.too_long() == []
    checkout(name, first + "\n" * (house_rules.LONGEST + 1))
    assert house_rules.too_long() == [f"{name}: 401 lines, more than 400"]


@pytest.mark.parametrize("text, well", [
    ('// Why.\n#include "web/a.h"\n\n#include <vector>\n', True),
    ('#include <vector>\n\n#include "web/a.h"\n', False),
    ('#define LONG 1\n#include "web/a.h"\n', False),
    ("int f();\n", False),
])
def test_a_source_includes_the_header_of_its_name_before_anything_else(checkout, text, well):
    checkout("web/a.h", "#pragma once\n")
    checkout("web/a.cc", text)
    checkout("web/b.cc", "#include <vector>\n")  # has no header
    found = house_rules.not_first()
    assert (found == []) == well
    assert well or found == ['web/a.cc: #include "web/a.h" must come first, before any other directive']


@pytest.fixture
def tools(checkout, tmp_path, monkeypatch):
    """Stand-ins for lint's tools; each finds something in a file that contains its name."""
    folder = tmp_path / ".git" / "tools"
    folder.mkdir()
    for name in ("clang-format-19", "shellcheck", "pyflakes"):
        (folder / name).write_text(f'#!/bin/sh\nfor word; do case $word in -* | pyflakes) shift ;; *) break ;; esac; done\n! grep -sH {name} "$@"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(lint, "PYTHON", str(folder / "pyflakes"))
    checkout("scripts/lint", "#!/bin/sh\n")


@pytest.mark.parametrize("name, text", [
    ("tests/a.cc", "clang-format-19"),
    ("tests/a.h", "clang-format-19"),
    ("a.sh", "shellcheck"),
    ("command", "#!/bin/bash\nshellcheck"),
    ("a.py", "pyflakes"),
    ("command", "#!/usr/bin/python3\npyflakes"),
    ("tests/a.cc", _WORD),
])
def test_one_finding_of_any_tool_makes_the_whole_fail(checkout, tools, name, text):
    checkout("tests/good.cc", "")
    assert lint.lint(fix=False, quick=True)
    checkout(name, f"{text}\n")
    assert not lint.lint(fix=False, quick=True)


def test_all_checks_run_whatever_the_first_found(checkout, tools, capfd):
    checkout("tests/a.cc", "clang-format-19\n")
    checkout("b.sh", "shellcheck\n")
    checkout("c.py", f"pyflakes {_WORD}\n")
    assert not lint.lint(fix=False, quick=True)
    said = "".join(capfd.readouterr())
    for finding in ("tests/a.cc:clang-format-19", "b.sh:shellcheck", "c.py:pyflakes", f"c.py:1:pyflakes {_WORD}"):
        assert finding in said
