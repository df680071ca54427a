"""`pgconn_exporter grants`: the least that the exporter needs, and enough for all of it."""

from pathlib import Path

import pytest

from tests.support.exporter import Exporter, run
from tests.support.process import REPOSITORY


def test_deploy_grants_sql_is_what_the_command_prints():
    status, text = run("grants")
    assert status == 0 and Path(REPOSITORY, "deploy/grants.sql").read_text().rstrip() == text.rstrip()


@pytest.mark.parametrize("role", ["pgconn", 'Odd "role"\'s'])
def test_with_these_grants_nothing_is_left_out_for_lack_of_privilege(box, role):
    _, sql = run("grants", role)
    quoted = '"' + role.replace('"', '""') + '"'
    try:
        for _ in range(2):  # it can be run again
            box.psql(sql)
        options = {"host": "127.0.0.1", "port": box.port, "sslmode": "require"}
        rolename = role.replace("\\", "\\\\").replace("'", "\\'")
        dsn = " ".join(f"{name}={value}" for name, value in options.items()) + f" dbname=postgres user='{rolename}'"
        with Exporter({"targets": [{"name": "one", "dsn": dsn}]}) as exporter:
            families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert not [s.labels for s in families.samples("pgconn_collector_skipped") if s.labels["reason"] == "privilege"]
        assert all(s.value == 1 for s in families.samples("pgconn_collector_success")), families
        [(superuser, createdb, createrole)] = box.psql(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = " + "'" + role.replace("'", "''") + "'")
        assert not (superuser or createdb or createrole)
    finally:
        box.psql(f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")
