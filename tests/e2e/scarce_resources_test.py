"""Too few file descriptors, or too many targets for them."""

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
    resource.prlimit(exporter.process.pid, resource.RLIMIT_NOFILE, (200, hard))
    eventually(lambda: up() == 60, what="all targets up")
