"""A fault of a real server reaches the pager: the right alert, of the right severity, in time, without its side effects."""

import contextlib
import json
import os
import signal
import time

import psycopg2
import pytest

from tests.faults.memory import limited_memory, run_out_of_memory
from tests.support.exporter import Exporter
from tests.support.midbox import SERVER_ADDRESS, far_from
from tests.support.pager import Pager
from tests.support.process import Unavailable, eventually, http_get

pytestmark = pytest.mark.alone

# A busy machine must not cause failures: a loss is reported at once, whatever the timeout.
PATIENT = {"interval": "6s", "timeout": "5s"}
FAST = {"connect": PATIENT, "roundtrip": PATIENT, "idle": {"ladder": ["2s", "6s"], "canaries": 2, "timeout": "5s"}}
HELD = "sum(pgconn_held_connections)"
SHOP = {"cluster": "shop"}


def target(box, role="postgres", **more):
    return {"name": "orders", "dsn": box.dsn(role), "labels": SHOP, **more}


def assert_runbook_is_at_hand(exporter, notice):
    """The link that people are sent leads to the exporter that reported the problem, and it has the page."""
    link = notice.annotations["runbook_url"]
    assert link.startswith(exporter.url + "/"), link
    page = exporter.get(link.removeprefix(exporter.url))
    assert page.status == 200 and notice.name in page.text, page.text


def test_an_idle_transaction_pages_before_the_server_kills_it(new_box, watch):
    box = new_box(idle_in_transaction_session_timeout="20s")
    exporter, pager = watch([target(box)])
    eventually(lambda: pager.prometheus.value("pgconn_up") == 1, 60, "a scrape")
    with contextlib.closing(psycopg2.connect(box.dsn(application_name="forgetful"))) as connection:
        connection.cursor().execute("SELECT 1")
        notice = pager.webhook.wait("PgConnIdleInTransactionNearTimeout", timeout=18)
        alive = box.psql("SELECT state FROM pg_stat_activity WHERE application_name = 'forgetful'")
        assert alive == [("idle in transaction",)], "too late: the server has ended it already"
        assert notice.labels["target"] == "orders" and notice.labels["cluster"] == "shop"
        assert notice.labels["severity"] == "warning"
        eventually(lambda: not box.psql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'forgetful'"),
                   what="the timeout to end it")
        with pytest.raises(psycopg2.OperationalError):
            connection.cursor().execute("SELECT 1")
    pager.webhook.wait("PgConnIdleInTransactionNearTimeout", "resolved")
    assert_runbook_is_at_hand(exporter, notice)


def test_a_crash_pages_as_a_crash_and_not_as_killed_sessions(new_box, watch):
    """What the rules do, without any inhibition: PgConnSessionsKilledHigh cannot fire beside a crash that is seen,
    since the crash resets the counters, and for half an hour after it no ends of sessions count. That Alertmanager
    would keep it back too is proven in tests/alerts/alertmanager_test.py (what took all explains sessions killed).
    """
    box = new_box()
    _, pager = watch([target(box)], FAST)
    eventually(lambda: pager.prometheus.value(HELD) == 3, 60, "held connections")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(contextlib.closing(box.connect())) for _ in range(8)]
        os.kill(connections[0].info.backend_pid, signal.SIGKILL)
        notice = pager.webhook.wait("PgConnCrashRestart", cluster="shop")
        assert notice.labels["severity"] == "critical"
    pager.webhook.wait("PgConnAllDropped", "resolved", timeout=120)  # an echo would have come by now
    echoes = {name for name in pager.paged() if name.startswith("PgConnSessions")} | (
        pager.paged() & {"PgConnServerDown", "PgConnIdleOnlyDrops"})
    assert not echoes


def test_an_oom_kill_in_the_servers_cgroup_pages_as_that_and_not_as_a_crash_too(new_box, watch):
    box = new_box(max_connections=20, shared_buffers="16MB")
    with limited_memory(box):
        exporter, pager = watch([target(box, host=True)], FAST)
        eventually(lambda: pager.prometheus.value(HELD) == 3, 60, "held connections")
        eventually(lambda: pager.prometheus.query('pgconn_host_oom_kills_total{scope="cgroup"} == 0'), 60, "the cgroup")
        run_out_of_memory(box)
        notice = pager.webhook.wait("PgConnOomKill", cluster="shop")
        assert notice.labels["severity"] == "critical"
        assert_runbook_is_at_hand(exporter, notice)
        eventually(lambda: kept_from_telling(pager, "PgConnCrashRestart"), 30, "PgConnCrashRestart, inhibited")
        eventually(lambda: pager.prometheus.value('pgconn_host_oom_kills_total{scope="cgroup"}') >= 1, 30, "the count")
        assert pager.prometheus.value('sum(pgconn_drop_incidents_total{cause="oom_kill"})') == 1


def end_sessions(box, *names):
    box.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN "
             f"({', '.join(map(repr, names))})")


def kept_from_telling(pager, name):
    """Whether Alertmanager knows that alert and another one suppresses it."""
    alerts = json.loads(http_get(pager.alertmanager.port, "/api/v2/alerts").body)
    return [found for found in alerts if found["labels"]["alertname"] == name and found["status"]["inhibitedBy"]]


def test_somebody_who_ends_all_sessions_pages_as_that_and_not_as_killed_sessions_too(new_box, watch):
    """The inhibition, end to end: the rule about killed sessions fires, and nothing is sent."""
    box = new_box()
    _, pager = watch([target(box)], FAST)
    # Within half an hour of its start, here half a minute, a server's ends of sessions do not count.
    eventually(lambda: (pager.prometheus.value("time() - pgconn_server_start_time_seconds") or 0) > 32, 90, "time")
    eventually(lambda: pager.prometheus.value(HELD) == 3, 60, "held connections")
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        def ended_until_it_fires():
            for _ in range(8):
                stack.callback(box.connect(application_name="shop").close)
            time.sleep(1)
            end_sessions(box, "shop")
            # A quarter of an hour of this, here of seconds, is a trend: then the other one must fire already.
            if time.monotonic() - begin > 8 and not pager.webhook.find("PgConnAllDropped"):
                end_sessions(box, "pgconn_exporter/roundtrip", "pgconn_exporter/idle")
            return kept_from_telling(pager, "PgConnSessionsKilledHigh")

        eventually(ended_until_it_fires, 60, "PgConnSessionsKilledHigh, inhibited")
    pager.webhook.wait("PgConnAllDropped", cluster="shop", cause="admin_terminate", severity="critical")
    assert "PgConnSessionsKilledHigh" not in pager.paged()


def test_a_server_that_is_down_pages_as_down_and_not_as_drops(new_box, watch):
    box = new_box()
    _, pager = watch([target(box)], FAST)
    eventually(lambda: pager.prometheus.value(HELD) == 3, 60, "held connections")
    stopped = time.monotonic()
    box.stop()
    pager.webhook.wait("PgConnServerDown", cluster="shop", severity="critical")
    assert pager.prometheus.query('pgconn_drop_incidents_total{scope="all"} > 0'), "nothing to be silent about"
    box.start()
    pager.webhook.wait("PgConnServerDown", "resolved")
    eventually(lambda: pager.prometheus.value(HELD) == 3, 60, "held connections again")
    # Neither when it is back: an echo would have come by now.
    eventually(lambda: not pager.prometheus.query("pgconn:server_down:told30m"), 60, "half an hour, of a second each")
    told = {notice.name for notice in pager.webhook.notices if notice.status == "firing" and notice.at > stopped}
    # That Prometheus has no samples for five minutes, here seconds, is due to a busy machine and not to the server.
    assert told - {"PgConnWatchdog", "PgConnMetricsAbsent"} == {"PgConnServerDown"}


def test_refused_slots_page(new_box, watch):
    box = new_box(max_connections=12, superuser_reserved_connections=3)
    box.psql("CREATE ROLE shop LOGIN; CREATE ROLE monitor LOGIN SUPERUSER")
    hurried = {"interval": "1s", "timeout": "900ms"}
    probes = {"connect": hurried, "roundtrip": hurried, "idle": False}
    _, pager = watch([target(box, "monitor"), {"name": "as-shop", "dsn": box.dsn("shop"), "labels": SHOP}], probes)
    eventually(lambda: pager.prometheus.value('pgconn_up{target="orders"}') == 1, 60, "a scrape")
    with contextlib.ExitStack() as crowd:
        def crowded():
            with contextlib.suppress(psycopg2.OperationalError):
                while True:
                    crowd.enter_context(contextlib.closing(box.connect("shop")))
            return pager.webhook.find("PgConnSlotsRefused", target="as-shop")

        notice = eventually(crowded, 60, "PgConnSlotsRefused")
        assert notice.labels["severity"] == "critical"
        pager.webhook.wait("PgConnSlotsNearlyFull", target="orders", severity="critical")
    pager.webhook.wait("PgConnSlotsNearlyFull", "resolved", target="orders")


def test_a_broken_configuration_file_is_reported(new_box, watch):
    box = new_box()
    exporter, pager = watch([target(box)])
    exporter.write_config({"targets": [target(box, pace="fast")]})
    exporter.process.signal(signal.SIGHUP)
    pager.webhook.wait("PgConnReloadFailed", severity="warning")
    exporter.write_config({"targets": [target(box)]})
    exporter.process.signal(signal.SIGHUP)
    pager.webhook.wait("PgConnReloadFailed", "resolved")


def test_a_certificate_about_to_expire_pages_until_it_is_replaced(new_box, watch):
    box = new_box()
    _, pager = watch([target(box)], {"connect": False, "roundtrip": False, "idle": False,
                                     "certificate": {"interval": "1s", "timeout": "900ms"}})
    eventually(lambda: pager.prometheus.query("pgconn_certificate_verified"), 60, "a look at the certificate")
    assert "PgConnCertificateExpiry" not in pager.firing()
    box.use_certificate("ending")  # two days left of thirty
    pager.webhook.wait("PgConnCertificateExpiry", severity="critical", **SHOP)
    box.use_certificate("server")
    pager.webhook.wait("PgConnCertificateExpiry", "resolved", severity="critical", **SHOP)


def test_connections_that_the_path_forgets_when_idle_page_as_idle_only_drops(new_box, suite):
    box = new_box()
    probes = {"connect": PATIENT, "roundtrip": {"interval": "1s", "timeout": "900ms"},
              "idle": {"ladder": ["1s", "6s"], "canaries": 2, "timeout": "2s"}}
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(far_from(box, forgets_after=3))
        except Unavailable as reason:
            pytest.skip(str(reason))
        far = {"name": "orders", "dsn": box.dsn(host=SERVER_ADDRESS, sslmode="require"), "labels": SHOP}
        exporter = stack.enter_context(Exporter({"targets": [far], "probes": probes}))
        pager = stack.enter_context(Pager(exporter, suite))
        notice = pager.webhook.wait("PgConnIdleOnlyDrops", timeout=120)
        assert notice.labels["cause"] == "path_idle_timeout" and notice.labels["severity"] == "warning"
        assert not pager.paged() & {"PgConnAllDropped", "PgConnServerDown", "PgConnDropRateHigh"}
