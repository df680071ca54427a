"""A chaos run: many targets, each with its own fault, on real servers of one version."""

import collections
import concurrent.futures
import contextlib
import threading
import time

from tests.chaos import faults
from tests.chaos.stages import STAGES, is_possible
from tests.chaos.tally import Tally
from tests.support import logfmt
from tests.support.exporter import Exporter

_SETTLING = 20  # seconds after the last fault, for verdicts
_HOLDING = 150  # until all connections are held
_CHEAP = "collect[]=transport"  # scrapes that are about probes


class _Watched:
    """One stage, and the exporter that watches it."""

    def __init__(self, stage, stack):
        self.stage = stage
        stage.start()
        targets = [
            {"name": fault.name, "probes": fault.probes, "dsn": stage.dsn(fault)} for fault in stage.faults
        ]
        self.exporter = stack.enter_context(Exporter({"targets": targets}))
        stage.scrape = self.scrape

    def scrape(self):
        return self.exporter.metrics(_CHEAP)

    def until_held(self, until):
        # Connections that their path or their server ends soon are never all held at the same time.
        wanted = [fault.name for fault in self.stage.faults if fault.kind != "idleness"]
        while True:
            samples = self.scrape().samples("pgconn_held_connections")
            held = sum(sample.value for sample in samples if sample.labels["target"] in wanted)
            if held >= 3 * len(wanted) * 0.9:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"{held} of {3 * len(wanted)} connections are held")
            time.sleep(2)

    def carry_out(self, begin, ended):
        for at, action in sorted(self.stage.events(), key=lambda event: event[0]):
            if ended.wait(max(0, begin + at - time.monotonic())):
                return
            action()
        ended.wait(max(0, begin + self.stage.seconds - time.monotonic()))

    def judge(self, version):
        families = self.scrape()
        self.exporter.stop()
        tally = Tally()
        told = collections.defaultdict(list)
        for record in logfmt.records(self.exporter.log_lines, "connections were lost"):
            told[record["target"]].append(record)
        for fault in self.stage.faults:
            tally.targets[fault.kind, version] += 1
            counted = _counted(families, fault, version, tally)
            tally.delays[fault.kind] += _delays(fault, told[fault.name])
            complaints = [*_complaints(fault, counted, told[fault.name]), *_of_server(fault, families)]
            tally.complaints += [f"PostgreSQL {version}, {fault.name}: {what}" for what in complaints]
        return tally


def run(version, seeds, seconds, kinds):
    """Watches servers of this version, with one target for each possible kind and seed. Returns a Tally."""
    tally = Tally()
    ended = threading.Event()
    with contextlib.ExitStack() as stack:
        watched = []
        for stage in STAGES:
            drawn = [
                faults.draw(kind, seed, seconds) for kind in stage.KINDS
                if kind in kinds and is_possible(kind, version) for seed in seeds
            ]
            if drawn:
                watched.append(_Watched(stage(version, drawn, seconds, stack), stack))
                watched[-1].until_held(time.monotonic() + _HOLDING)  # one stage after the other
        begin = time.monotonic()
        for one in watched:
            one.stage.begin()
        with concurrent.futures.ThreadPoolExecutor(len(watched)) as pool:
            stack.callback(ended.set)
            try:
                futures = [pool.submit(one.carry_out, begin, ended) for one in watched]
                for future in futures:
                    future.result()
            finally:
                ended.set()
        time.sleep(_SETTLING)
        for one in watched:
            tally.add(one.judge(version))
    return tally


def _counted(families, fault, version, tally):
    counted = collections.Counter()
    for sample in families.samples("pgconn_connection_drops_total", target=fault.name):
        if sample.value:
            counted[sample.labels["cause"]] += int(sample.value)
    for cause, count in counted.items():
        judgement = "wrong"
        if cause in fault.right or (cause in fault.allowed and cause != "unknown"):
            judgement = "right"
        elif cause == "unknown":
            judgement = "unknown"
        tally.drops[fault.kind, version, cause, judgement] += count
    return counted


def _delays(fault, records):
    """Seconds from each command that ended sessions to the line in the log, which comes after counting."""
    times = [logfmt.unix_time(record) for record in records if record["cause"] in fault.right]
    for command, following in zip(fault.commands, [*fault.commands[1:], float("inf")]):
        yield from [round(at - command, 3) for at in times if command <= at < following][:1]


def _complaints(fault, counted, records):
    true = fault.right | fault.allowed
    for cause, count in counted.items():
        if cause not in true:
            yield f"{count} drops by {cause}"
    for record in records:
        if record["cause"] not in true:
            yield f"an incident by {record['cause']}: {record['because']}"
        if record["scope"] == "idle_only" and not fault.idle_only:
            yield f"scope idle_only: {record['because']}"
    if fault.right == {"admin_terminate"} and counted["admin_terminate"] != fault.sessions:
        yield f"{fault.sessions} sessions were terminated, counted are {dict(counted)}"
    if sum(counted.values()) < fault.sessions:
        yield f"{fault.sessions} sessions were ended, counted are {dict(counted)}"


def _of_server(fault, families):
    if families.samples("pgconn_path_idle_limit_seconds", target=fault.name) and not fault.forgets:
        yield "an idle limit was measured"
    restarts = families.sum("pgconn_server_restarts_total", target=fault.name)
    moves = families.sum("pgconn_server_moves_total", target=fault.name)
    if restarts and fault.kind != "restart":
        yield f"{restarts:.0f} restarts"
    if fault.kind == "restart" and not restarts:
        yield "no restart"
    if bool(moves) != fault.moves:
        yield f"{moves:.0f} moves"
