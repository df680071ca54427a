"""The committed JSON is exactly what its source generates."""

import shutil

import pytest

from tests.dashboards import committed


def differences(committed_directory, generated_directory):
    """What differs from the generated JSON, with what to do."""
    names = {path.name for where in (committed_directory, generated_directory) for path in where.glob("*.json")}
    for name in sorted(names):
        before, after = committed_directory / name, generated_directory / name
        if not after.exists():
            yield f"dashboards/json/{name} has no source in dashboards/src: delete it"
        elif not before.exists() or before.read_text() != after.read_text():
            yield (f"dashboards/json/{name} is not what its source in dashboards/src gives. "
                   f"Change the source, then: {committed.REGENERATE}")


@pytest.fixture(scope="module")
def generated(npm_run, tmp_path_factory):
    directory = tmp_path_factory.mktemp("generated")
    result = npm_run("build", str(directory))
    assert result.returncode == 0, result.stderr
    return directory


def test_the_sources_are_sound_and_formatted_typescript(npm_run):
    result = npm_run("check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_committed_dashboards_are_what_their_sources_generate(generated):
    assert list(differences(committed.ROOT / "json", generated)) == []


def test_there_are_the_eight_dashboards():
    assert [path.name for path in committed.FILES] == [f"pgconn-{uid}.json" for uid in committed.UIDS]
    for uid in committed.UIDS:
        assert committed.dashboard(uid)["uid"] == f"pgconn-{uid}"


def test_a_dashboard_edited_by_hand_is_reported_with_the_command_that_regenerates_it(generated, tmp_path):
    shutil.copytree(committed.ROOT / "json", tmp_path, dirs_exist_ok=True)
    edited = tmp_path / "pgconn-fleet.json"
    edited.write_text(edited.read_text().replace("Targets down", "Servers down"))
    assert list(differences(tmp_path, generated)) == [
        "dashboards/json/pgconn-fleet.json is not what its source in dashboards/src gives. "
        "Change the source, then: npm --prefix dashboards run build"
    ]


def test_a_dashboard_without_a_source_and_one_that_is_missing_are_told(generated, tmp_path):
    shutil.copytree(committed.ROOT / "json", tmp_path, dirs_exist_ok=True)
    (tmp_path / "pgconn-fleet.json").rename(tmp_path / "pgconn-fleet-2.json")
    told = list(differences(tmp_path, generated))
    assert len(told) == 2
    assert "pgconn-fleet-2.json has no source" in told[0] and committed.REGENERATE in told[1]


def test_the_lock_file_pins_every_package_and_names_no_download_address():
    text = (committed.ROOT / "package-lock.json").read_text()
    assert '"integrity"' in text and '"resolved"' not in text and "://registry" not in text
