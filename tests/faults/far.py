"""An exporter that watches a server behind a Midbox: how it is configured, and what it counts."""

from tests.support.midbox import SERVER_ADDRESS
from tests.support.process import eventually

PACE = {"interval": "1s", "timeout": "900ms"}
# Canaries that are queried every second.
SHORT_LADDER = {"ladder": ["500ms", "1s"], "canaries": 2, "timeout": "1s"}
FAR = {"host": SERVER_ADDRESS, "sslmode": "require", "sslrootcert": None}


def counted(families, name, *labels):
    """Values above zero by these labels."""
    found = {}
    for sample in families.samples(name):
        key = tuple(sample.labels[label] for label in labels)
        if sample.value:
            found[key] = found.get(key, 0) + sample.value
    return found


def drops(families):
    return counted(families, "pgconn_connection_drops_total", "probe", "cause", "sqlstate")


def incidents(families):
    return counted(families, "pgconn_drop_incidents_total", "cause", "scope")


def until(exporter, condition, what, timeout=60.0):
    """The first scrape that meets the condition."""

    def scrape():
        families = exporter.metrics()
        return families if condition(families) else None

    return eventually(scrape, timeout, what)


def held(families):
    return counted(families, "pgconn_held_connections", "probe")


def all_held(families):
    return held(families) == {("roundtrip",): 1, ("idle",): 2}


def until_settled(exporter):
    """The server is known, and both canaries have survived the whole ladder."""
    return until(
        exporter,
        lambda families: all_held(families)
        and families.value("pgconn_idle_canary_results_total", rung="1", result="survived") >= 2,
        "all probes under way",
    )
