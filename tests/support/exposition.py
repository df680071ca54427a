"""Reads the Prometheus text format 0.0.4 strictly: faults that a scraper might forgive are errors here."""

import functools
import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|(?=\}))')
_DECLARATION = re.compile(r"# (HELP|TYPE) (\S+) ?(.*)\Z")
_SAMPLE = re.compile(r"([^\s{]+(?:\{.*\})?) (\S+)(?: -?\d+)?\Z")
_SERIES = re.compile(r"([^{]+)(?:\{(.*)\})?\Z")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\Z")
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


class ExpositionError(Exception):
    """The text is not valid; the message names the line."""


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict
    value: float


@dataclass
class Family:
    name: str
    type: str = "untyped"
    help: str = ""
    samples: list = field(default_factory=list)

    def label_names(self):
        return sorted({label for sample in self.samples for label in sample.labels})


class Exposition(dict):
    """Families by name."""

    def samples(self, name, /, **labels):
        """Samples called `name` that carry at least `labels`."""
        return [
            sample
            for family in self.values()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def value(self, name, /, **labels):
        """The one value that matches; None if there is none."""
        found = self.samples(name, **labels)
        if len(found) > 1:
            raise LookupError(f"{name}{labels} matches {len(found)} samples: {found}")
        return found[0].value if found else None

    def sum(self, name, /, **labels):
        return sum(sample.value for sample in self.samples(name, **labels))


def parse(text):
    """The Exposition in `text`; raises ExpositionError."""
    if text and not text.endswith("\n"):
        raise ExpositionError("the last line does not end in a newline")
    return _Reader().read(text)


class _Reader:
    def __init__(self):
        self.families = Exposition()
        self.current = None
        self.said = set()  # (keyword, family) that must not repeat
        self.series = set()

    def read(self, text):
        for number, line in enumerate(text.split("\n")[:-1], 1):
            try:
                self._line(line)
            except ExpositionError as error:
                raise ExpositionError(f"line {number}: {error}: {line[:200]}") from None
        return self.families

    def _line(self, line):
        if keyword := _DECLARATION.match(line):
            self._declare(*keyword.groups())
        elif line and not line.startswith("#"):
            self._sample(line)

    def _declare(self, keyword, name, rest):
        if (keyword, name) in self.said:
            raise ExpositionError(f"{keyword} twice")
        self.said.add((keyword, name))
        family = self._enter(name)
        if keyword == "HELP":
            family.help = re.sub(r"\\[\\n]", lambda escape: _ESCAPES[escape[0]], rest)
            return
        if family.samples:
            raise ExpositionError("TYPE after samples")
        if rest not in _TYPES:
            raise ExpositionError("unknown type")
        family.type = rest

    def _enter(self, name):
        """Makes `name` the family whose lines follow; one family's lines are contiguous."""
        if not _NAME.match(name):
            raise ExpositionError("bad metric name")
        if self.current is None or self.current.name != name:
            if name in self.families:
                raise ExpositionError("family continued after another one")
            self.current = self.families[name] = Family(name)
        return self.current

    def _sample(self, line):
        match = _SAMPLE.match(line)
        if not match:
            raise ExpositionError("not a sample")
        name, labels, key = _series(match[1])
        family = self._enter(_family_name(name, self.current))
        if key in self.series:
            raise ExpositionError("series twice")
        self.series.add(key)
        family.samples.append(Sample(name, dict(labels), _number(match[2])))


@functools.lru_cache(maxsize=10_000)  # tests wait by scraping again and again: nearly all series are known already
def _series(text):
    """(name, labels, what makes it unique) of what stands before a value."""
    name, labels_text = _SERIES.match(text).groups()
    labels = _labels(labels_text or "")
    return name, labels, (name, frozenset(labels.items()))


def _family_name(sample, current):
    if current is not None and current.type in ("histogram", "summary"):
        for suffix in ("_bucket", "_sum", "_count"):
            if sample == current.name + suffix:
                return current.name
    return sample


def _labels(text):
    labels, position, text = {}, 0, text + "}"
    while position < len(text) - 1:
        match = _LABEL.match(text, position)
        if not match:
            raise ExpositionError("bad labels")
        name, value = match.groups()
        if name in labels:
            raise ExpositionError(f"label {name} twice")
        labels[name] = re.sub(r'\\[\\"n]', lambda escape: _ESCAPES[escape[0]], value)
        position = match.end()
    return labels


def _number(text):
    if text in ("+Inf", "-Inf", "NaN"):
        return float(text)
    if not _NUMBER.match(text):
        raise ExpositionError("bad value")
    return float(text)
