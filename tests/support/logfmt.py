"""Reads logfmt strictly: anything that a lenient reader would guess is an error here."""

import datetime
import json
import re

_PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]+)(?: |\Z)')


def parse(line):
    """The pairs of one line as a dict; AssertionError says where it stops being logfmt."""
    pairs, position = {}, 0
    while position < len(line):
        match = _PAIR.match(line, position)
        assert match, f"not logfmt from column {position} on: {line}"
        name, value = match.groups()
        assert name not in pairs, f"{name} twice: {line}"
        pairs[name] = json.loads(value) if value.startswith('"') else value
        position = match.end()
    return pairs


def records(lines, message, **fields):
    """The parsed lines whose msg is `message` and that have at least `fields`."""
    found = [parse(line) for line in list(lines)]
    return [entry for entry in found if entry["msg"] == message and fields.items() <= entry.items()]


def unix_time(record):
    """When a record was written."""
    return datetime.datetime.fromisoformat(record["ts"].replace("Z", "+00:00")).timestamp()
