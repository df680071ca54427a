"""The faults of a chaos run: what happens to one target, and which causes are allowed.

Each kind draws the timing of its faults from a seed, so that a run can be repeated.
"""

import dataclasses
import random

from tests.chaos.relays import Path

# A server that cannot be reached for this long, in seconds, counts as unreachable.
_UNREACHABLE_AFTER = 3
_CANARIES = 2


@dataclasses.dataclass
class Fault:
    """One target of a run."""

    kind: str
    seed: int
    probes: dict
    right: set  # causes that tell the truth; for some kinds that is only "unknown"
    allowed: set = dataclasses.field(default_factory=lambda: {"unknown"})  # true as well, or no claim at all
    idle_only: bool = False  # that scope may be told: the silent ones alone may be lost
    forgets: bool = False  # the path forgets silent connections: only then may a limit be measured
    path: Path | None = None
    at: list = dataclasses.field(default_factory=list)  # when something happens, in seconds
    lasts: float = 0  # seconds
    sessions: int = 0  # that were ended by a command so far: as many drops have to be counted
    commands: list = dataclasses.field(default_factory=list)  # when that was, as Unix times
    pid: int = 0  # of the process that was stopped
    moves: bool = False  # another server takes over: a move, and no restart

    @property
    def name(self):
        return f"{self.kind}-{self.seed}"


def draw(kind, seed, seconds):
    """The fault of this kind and seed, in a run of that length."""
    dice = random.Random(f"{kind}/{seed}")
    fault = Fault(kind, seed, _probes(dice), set())
    _KINDS[kind](fault, dice, seconds)
    if fault.path:
        shut = fault.path.pauses + fault.path.rejects
        if any(duration > _UNREACHABLE_AFTER for _, duration in shut):
            fault.allowed |= {"server_unreachable"}
    return fault


def kinds():
    """The names of what can be drawn."""
    return list(_KINDS)


def _probes(dice):
    ladder, rung = [], dice.uniform(0.7, 3)
    while rung < 100:
        ladder.append(f"{int(rung * 1000)}ms")
        rung *= 2
    interval = dice.uniform(0.8, 4)
    return {
        "connect": False, "certificate": False,
        "roundtrip": {"interval": f"{int(interval * 1000)}ms", "timeout": f"{int(interval * 800)}ms"},
        "idle": {"ladder": ladder, "canaries": _CANARIES, "timeout": f"{dice.randint(700, 5000)}ms"},
    }


# Paths

def _pause(fault, dice, seconds):
    fault.right = {"unknown"}
    fault.path = fault.path or Path()
    fault.path.pauses.append((dice.uniform(seconds / 6, seconds / 2), dice.uniform(0.3, 8)))


def _ends_at_age(fault, dice, seconds):
    fault.path = Path(lifetime=dice.uniform(4, seconds / 2))
    if dice.random() < 0.5:
        _pause(fault, dice, seconds)
    fault.right = {"network_reset"}


def _forgets_silent_ones(fault, dice, seconds):
    fault.path = Path(forgets_after=dice.uniform(3, seconds / 4))
    fault.forgets = fault.idle_only = True
    if dice.random() < 0.5:
        _pause(fault, dice, seconds)
    # It resets them, which may be all that is known.
    fault.right = {"path_idle_timeout", "network_reset"}


def _rejects(fault, dice, seconds):
    fault.right = {"network_reset"}
    fault.path = Path(rejects=[(dice.uniform(seconds / 6, seconds * 0.7), dice.uniform(0.3, 9))])


def _is_repointed(fault, dice, seconds):
    fault.right = {"network_reset", "unknown"}
    fault.moves = True
    fault.path = Path(moves_at=dice.uniform(seconds / 4, seconds * 0.7), moves_by_reset=dice.random() < 0.5)


# Commands to a server

def _terminated(fault, dice, seconds, begin, end):
    """One session is terminated within that part of the run."""
    fault.right = {"admin_terminate"}
    fault.idle_only = True
    fault.at.append(dice.uniform(seconds * begin, seconds * end))


def _terminates(fault, dice, seconds):
    for _ in range(3):
        _terminated(fault, dice, seconds, 0.25, 0.8)
    fault.at.sort()


def _rejected_by_hba(fault, dice, seconds):
    _terminated(fault, dice, seconds, 0.3, 0.45)


def _offers_no_tls(fault, dice, seconds):
    _terminated(fault, dice, seconds, 0.6, 0.75)


def _role_is_dropped(fault, dice, seconds):
    _terminated(fault, dice, seconds, 0.25, 0.8)
    fault.lasts = dice.uniform(0.2, 5)


def _database_is_dropped(fault, dice, seconds):
    _terminated(fault, dice, seconds, 0.25, 0.8)


def _idles_too_long(fault, dice, seconds):
    fault.right = {"idle_session_timeout"}
    fault.idle_only = True
    fault.lasts = dice.uniform(0.3, 3)
    fault.at = [dice.uniform(seconds * 0.1, seconds * 0.3)]


# Servers that stop or stand still

def _shut_down(fault, dice, seconds):
    fault.right = {"server_shutdown"}


def _fails_over(fault, dice, seconds):
    _shut_down(fault, dice, seconds)
    fault.moves = True


def _stands_still(fault, dice, seconds):
    fault.right = {"unknown"}
    fault.allowed |= {"server_unreachable"}


def _one_stands_still(fault, dice, seconds):
    fault.right = {"unknown"}
    fault.at = [dice.uniform(seconds * 0.2, seconds * 0.6)]
    fault.lasts = dice.uniform(1, seconds * 0.4)


def _pooler_pauses(fault, dice, seconds):
    fault.right = {"unknown"}
    fault.at = [dice.uniform(seconds * 0.2, seconds * 0.7)]
    fault.lasts = dice.uniform(0.3, 8)


_KINDS = {
    "age": _ends_at_age,
    "silence": _forgets_silent_ones,
    "pause": _pause,
    "reject": _rejects,
    "repoint": _is_repointed,
    "terminate": _terminates,
    "hba": _rejected_by_hba,
    "ssl": _offers_no_tls,
    "role": _role_is_dropped,
    "database": _database_is_dropped,
    "idleness": _idles_too_long,
    "restart": _shut_down,
    "failover": _fails_over,
    "frozen": _stands_still,
    "stuck": _one_stands_still,
    "pooler": _pooler_pauses,
}
