"""Without a configuration file: the server that libpq's environment names."""

import getpass
import re

import pytest


def base_environment(box):
    return {"PGHOST": "127.0.0.1", "PGPORT": str(box.port), "PGUSER": "postgres", "PGDATABASE": "template1",
            "PGSSLMODE": "verify-full", "PGSSLROOTCERT": box.ca}


def expect_watched(exporter, box, host="127.0.0.1", database="template1"):
    families = exporter.metrics()
    [info] = families.samples("pgconn_target_info")
    found = {name: info.labels[name] for name in ("target", "host", "port", "database")}
    assert found == {"target": "default", "host": host, "port": str(box.port), "database": database}
    assert families.value("pgconn_up", target="default") == 1
    assert int(re.match(r"\d+", info.labels["server_version"])[0]) == box.version


def test_the_usual_variables_decide(newest, run_exporter):
    exporter = run_exporter(None, env=base_environment(newest))
    expect_watched(exporter, newest)
    page = exporter.get("/").text
    assert "PGHOST" in page, "the page says where the target comes from"


def test_a_service_decides_and_the_variables_fill_in(newest, tmp_path, run_exporter):
    services = tmp_path / "services.conf"
    services.write_text(f"[watched]\nhost=localhost\nhostaddr=127.0.0.1\nport={newest.port}\ndbname=template1\n"
                        f"sslmode=verify-full\nsslrootcert={newest.ca}\n")
    environment = {"PGSERVICE": "watched", "PGSERVICEFILE": str(services), "PGUSER": "postgres", "PGPORT": "1"}
    expect_watched(run_exporter(None, env=environment), newest, host="localhost")


def test_a_socket_directory_decides(newest, run_exporter):
    environment = {"PGHOST": newest.socket_directory, "PGPORT": str(newest.port), "PGUSER": "postgres"}
    expect_watched(run_exporter(None, env=environment), newest, host=newest.socket_directory, database="postgres")


def test_a_password_file_of_libpq_decides(guarded, tmp_path, run_exporter):
    passfile = tmp_path / "pgpass"
    passfile.touch(0o600)
    passfile.write_text(f"127.0.0.1:{guarded.port}:template1:monitor:{guarded.password}\n")
    environment = {**base_environment(guarded), "PGUSER": "monitor", "PGPASSFILE": str(passfile)}
    expect_watched(run_exporter(None, env=environment), guarded)


@pytest.mark.parametrize("changed, words", [
    ({"PGPORT": "99999"}, "port"),
    ({"PGSSLMODE": "allow"}, "sslmode"),
    ({"PGSERVICE": "nowhere", "PGSERVICEFILE": "/nonexistent"}, "service"),
])
def test_unusable_variables_are_reported_and_the_exporter_serves(changed, words, newest, run_exporter):
    exporter = run_exporter(None, env={**base_environment(newest), **changed})
    assert exporter.metrics().value("pgconn_up", target="default") == 0
    line = exporter.process.wait_log("target cannot be collected")
    assert "reason=config" in line and words in line


def test_with_no_variable_at_all_it_tries_the_usual_socket_as_libpq_does(run_exporter):
    exporter = run_exporter(None)
    families = exporter.metrics()
    assert families.value("pgconn_exporter_targets") == 1
    assert len(families.samples("pgconn_up", target="default")) == 1
    [info] = families.samples("pgconn_target_info")
    assert info.labels["host"].startswith("/") and info.labels["port"] == "5432"
    assert info.labels["database"] == getpass.getuser()
