"""The faults of a chaos run: what happens to one target, and which causes are allowed."""

import dataclasses
import random

from tests.chaos.relays import Path

# A server that stands still for this long, in seconds, counts as unreachable.
_UNREACHABLE_AFTER = 3
_ALL_ALIKE = {"network_reset", "unknown"}


@dataclasses.dataclass
class Fault:
    """One target of a run: drawn from a seed, so that it can be repeated."""

    name: str
    path: Path
    probes: dict
    causes: set  # allowed for its drops and incidents
    forgets: bool = False  # the path forgets silent connections: only then may that be the cause
    terminations: list = dataclasses.field(default_factory=list)  # times in seconds
    terminated: int = 0  # sessions, so far


def draw(kind, seed, seconds):
    """The fault of this kind and seed."""
    dice = random.Random(f"{kind}/{seed}")
    fault = Fault(f"{kind}-{seed}", Path(), _probes(dice), {"unknown"})
    _KINDS[kind](fault, dice, seconds)
    if any(duration > _UNREACHABLE_AFTER for _, duration in fault.path.pauses):
        fault.causes |= {"server_unreachable"}
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
        "idle": {"ladder": ladder, "canaries": 2, "timeout": f"{dice.randint(700, 5000)}ms"},
    }


def _pause(fault, dice, seconds):
    fault.path.pauses.append((dice.uniform(seconds / 6, seconds / 2), dice.uniform(0.3, 8)))


def _ends_at_age(fault, dice, seconds):
    fault.path.lifetime = dice.uniform(4, seconds / 2)
    fault.causes |= _ALL_ALIKE
    if dice.random() < 0.5:
        _pause(fault, dice, seconds)


def _forgets_silent_ones(fault, dice, seconds):
    fault.path.forgets_after = dice.uniform(3, seconds / 4)
    fault.forgets = True
    fault.causes |= _ALL_ALIKE | {"path_idle_timeout"}
    if dice.random() < 0.5:
        _pause(fault, dice, seconds)


def _terminates(fault, dice, seconds):
    fault.causes = {"admin_terminate"}
    fault.terminations = sorted(dice.uniform(seconds / 4, seconds * 0.8) for _ in range(3))


_KINDS = {
    "age": _ends_at_age,
    "silence": _forgets_silent_ones,
    "pause": _pause,
    "terminate": _terminates,
}
