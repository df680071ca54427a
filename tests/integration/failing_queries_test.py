"""A query that fails costs the collectors that need it, and nothing else."""

from tests.integration.scenes import TARGET, by


def failed(families):
    samples = families.samples("pgconn_collector_success")
    return {s.labels["collector"] for s in samples if s.value == 0}


def test_a_locked_catalog_fails_only_the_collectors_that_require_it(scene):
    exporter = scene.watch(**{"global": {"lock_timeout": "100ms"}})
    assert failed(exporter.metrics()) == set()
    blocker = scene.transaction("LOCK TABLE pg_db_role_setting", application="ddl")
    for count in (1, 2):
        families = exporter.metrics()
        assert families.value("pgconn_up") == 1
        assert failed(families) == {"settings", "limits"}  # pg_roles reads it too
        assert families.value(
            "pgconn_scrape_errors_total", reason="lock_timeout", sqlstate="55P03"
        ) == 2 * count
        assert families.value("pgconn_sessions", application="ddl") == 1
        # It is not known now which timeout applies to whom, so no ratio is reported.
        assert families.samples("pgconn_idle_in_transaction_timeout_ratio") == []
        assert families.samples("pgconn_finding") == []
    assert sum("collectors did not run" in line and "settings" in line for line in exporter.log_lines) == 1
    blocker.run("ROLLBACK")
    assert failed(exporter.metrics()) == set()


def test_without_the_activity_the_collectors_of_sessions_fail_and_the_others_deliver(scene):
    scene.role("monitor", "pg_monitor")
    exporter = scene.watch("monitor")
    assert failed(exporter.metrics()) == set()
    scene.do("REVOKE EXECUTE ON FUNCTION pg_stat_get_activity(int) FROM PUBLIC",
             "GRANT EXECUTE ON FUNCTION pg_stat_get_activity(int) TO PUBLIC")
    families = exporter.metrics()
    assert families.value("pgconn_up", target=TARGET) == 1
    assert failed(families) == {"sessions", "blocking", "limits", "transport"}
    skipped = by(("collector", "reason"), families.samples("pgconn_collector_skipped"))
    assert skipped.keys() == {(collector, "privilege") for collector in failed(families)}
    assert families.value("pgconn_server_start_time_seconds") is not None
    assert families.value("pgconn_setting_value", name="max_connections") == 60
    assert families.value("pgconn_transactions_total", database="postgres", outcome="commit")
    assert families.value("pgconn_scrape_errors_total", reason="permission", sqlstate="42501") == 1
