"""A chaos run: many targets of one exporter, each with its own fault, on a real server."""

import collections
import contextlib
import time

from tests.chaos import faults
from tests.chaos.relays import Relays
from tests.support import logfmt
from tests.support.exporter import Exporter
from tests.support.pgbox import PgBox
from tests.support.process import eventually

_SETTLING = 20  # seconds after the last fault, for verdicts


class Outcome:
    """The results of one run: how often each cause occurred, by kind of fault, and what was wrong."""

    def __init__(self):
        self.drops = collections.Counter()  # by (kind, cause)
        self.wrong = []

    def add(self, other):
        self.drops += other.drops
        self.wrong += other.wrong


def run(version, seeds, seconds, kinds):
    """Watches one server of this version through one path for each kind and seed."""
    drawn = [faults.draw(kind, seed, seconds) for kind in kinds for seed in seeds]
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(PgBox(version))
        box.start(max_connections=len(drawn) * 8 + 50, shared_buffers="32MB")
        relays = stack.enter_context(Relays())
        targets = []
        for fault in drawn:
            box.psql(f'CREATE ROLE "{fault.name}" LOGIN IN ROLE pg_monitor')
            port = relays.add(fault.path, box.port)
            targets.append({
                "name": fault.name, "probes": fault.probes,
                "dsn": box.dsn(fault.name, port=port, sslmode="disable", sslrootcert=None),
            })
        exporter = stack.enter_context(Exporter({"targets": targets}))
        _until_held(exporter, 3 * len(drawn))
        relays.begin_now()
        _carry_out(box, drawn, seconds)
        time.sleep(_SETTLING)
        families = exporter.metrics()
        exporter.stop()
        return _judge(version, drawn, families, exporter.log_lines)


def _until_held(exporter, wanted):
    # Connections that their path ends soon are never all held at the same time.
    eventually(
        lambda: sum(
            sample.value for sample in exporter.metrics().samples("pgconn_held_connections")
        ) >= wanted * 0.9,
        120, "held connections",
    )


def _carry_out(box, drawn, seconds):
    begin = time.monotonic()
    due = sorted((at, fault) for fault in drawn for at in fault.terminations)
    with contextlib.closing(box.connect()) as admin:
        cursor = admin.cursor()
        for at, fault in due:
            time.sleep(max(0, begin + at - time.monotonic()))
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE"
                " usename = %s AND application_name IN ('pgconn_exporter/idle', 'pgconn_exporter/roundtrip')"
                " ORDER BY random() LIMIT 1) one", [fault.name],
            )
            fault.terminated += cursor.fetchone()[0]
    time.sleep(max(0, begin + seconds - time.monotonic()))


def _judge(version, drawn, families, log_lines):
    outcome = Outcome()
    told = collections.defaultdict(list)
    for record in logfmt.records(log_lines, "connections were lost"):
        told[record["target"]].append(record)
    for fault in drawn:
        kind = fault.name.split("-")[0]
        complaints = []
        counted = collections.Counter()
        for sample in families.samples("pgconn_connection_drops_total", target=fault.name):
            if sample.value:
                counted[sample.labels["cause"]] += int(sample.value)
        for cause, count in counted.items():
            outcome.drops[kind, cause] += count
            if cause not in fault.causes:
                complaints.append(f"{count} drops by {cause}")
        for record in told[fault.name]:
            if record["cause"] not in fault.causes:
                complaints.append(f"an incident by {record['cause']}: {record['because']}")
            # Both canaries may be terminated in the same moment: then it is the pattern.
            if record["scope"] == "idle_only" and not fault.forgets and not fault.terminations:
                complaints.append(f"scope idle_only: {record['because']}")
        if families.samples("pgconn_path_idle_limit_seconds", target=fault.name) and not fault.forgets:
            complaints.append("an idle limit was measured")
        if fault.terminations and sum(counted.values()) != fault.terminated:
            complaints.append(f"{fault.terminated} were terminated, {sum(counted.values())} counted")
        outcome.wrong += [f"PostgreSQL {version}, {fault.name}: {what}" for what in complaints]
    return outcome
