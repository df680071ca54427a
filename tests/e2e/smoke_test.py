"""The shortest way through everything: a server, the exporter, Prometheus."""

from tests.support.process import eventually
from tests.support.prometheus import Prometheus, promtool


def test_a_server_of_each_version_is_up_and_its_exposition_is_clean(box, watch):
    exporter = watch(box)
    families = exporter.metrics()
    assert families.value("pgconn_up", target=f"pg{box.version}") == 1
    failed = families.samples("pgconn_collector_success")
    assert failed and all(sample.value == 1 for sample in failed), failed
    assert promtool("check", "metrics", stdin=exporter.get("/metrics").text) == (0, "")


def test_sessions_come_back_from_prometheus_as_they_are(newest, watch):
    with newest.connect(application_name="smoke") as session:
        session.autocommit = False
        session.cursor().execute("SELECT 1")
        with Prometheus({"pgconn": watch(newest).port}) as prometheus:
            query = 'pgconn_sessions{application="smoke",state="idle in transaction"}'
            assert eventually(lambda: prometheus.value(query)) == 1
            assert prometheus.value('pgconn_sessions{application=~"pgconn_exporter.*"}') is None
