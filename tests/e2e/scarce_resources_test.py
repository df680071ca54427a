"""Too few file descriptors, or too many targets for them."""

import contextlib
import resource

from tests.support.process import eventually


def test_too_few_file_descriptors_cost_targets_but_not_the_exporter(new_box, run_exporter):
    box = new_box(max_connections=100)
    exporter = run_exporter(
        {"targets": [{"name": f"t{number}", "dsn": box.dsn(sslmode="disable", sslrootcert=None)}
                     for number in range(60)]})
    _, hard = resource.prlimit(exporter.process.pid, resource.RLIMIT_NOFILE)

    def up():
        return exporter.metrics().sum("pgconn_up")

    resource.prlimit(exporter.process.pid, resource.RLIMIT_NOFILE, (40, hard))
    for _ in range(5):
        assert 0 < up() < 60
    assert exporter.get("/-/healthy").status == 200
    exporter.process.wait_log("Too many open files")
    reasons = {sample.labels["reason"] for sample in exporter.metrics().samples("pgconn_scrape_errors_total")
               if sample.value > 0}
    assert "open_files" in reasons and "unreachable" not in reasons, "it is our limit, not the route"
    exporter.process.wait_log("LimitNOFILE")
    resource.prlimit(exporter.process.pid, resource.RLIMIT_NOFILE, (200, hard))
    eventually(lambda: up() == 60, what="all targets up")


@contextlib.contextmanager
def started_with_open_files(soft):
    """A soft limit on open files for the processes that are started meanwhile."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield float("inf") if hard == resource.RLIM_INFINITY else hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


def test_the_soft_limit_of_open_files_is_raised_to_the_hard_limit(run_exporter):
    with started_with_open_files(200) as hard:
        exporter = run_exporter({"targets": [{"name": "nobody", "dsn": "host=127.0.0.1 port=1"}]})
    assert exporter.metrics().value("process_max_fds") == hard
