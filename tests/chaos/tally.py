"""What chaos runs found: drops by kind of fault, version and cause, kept in a file, shown as tables."""

import collections
import json

_BEGIN, _END = "<!-- scripts/chaos -->", "<!-- /scripts/chaos -->"


class Tally:
    """Counts of one run or of several."""

    def __init__(self):
        self.targets = collections.Counter()  # by (kind, version)
        self.drops = collections.Counter()  # by (kind, version, cause, "right", "unknown" or "wrong")
        self.delays = collections.defaultdict(list)  # from fault to log, in seconds, by kind
        self.complaints = []

    def add(self, other):
        self.targets += other.targets
        self.drops += other.drops
        for kind, delays in other.delays.items():
            self.delays[kind] += delays
        self.complaints += other.complaints

    def save(self, path):
        path.write_text(json.dumps({
            "targets": [[*key, count] for key, count in sorted(self.targets.items())],
            "drops": [[*key, count] for key, count in sorted(self.drops.items())],
            "delays": self.delays,
            "complaints": self.complaints,
        }, indent=0) + "\n")

    @classmethod
    def load(cls, path):
        tally = cls()
        if path.exists():
            kept = json.loads(path.read_text())
            tally.targets.update({tuple(key): count for *key, count in kept["targets"]})
            tally.drops.update({tuple(key): count for *key, count in kept["drops"]})
            tally.delays.update(kept["delays"])
            tally.complaints = kept["complaints"]
        return tally

    def sum(self, kind=None, version=None, judgement=None):
        """Drops."""
        return sum(
            count for (its_kind, its_version, _, its_judgement), count in self.drops.items()
            if kind in (None, its_kind) and version in (None, its_version) and judgement in (None, its_judgement)
        )

    def tables(self):
        """Lines of Markdown."""
        kinds = list(dict.fromkeys(kind for kind, _ in self.targets))
        versions = sorted({version for _, version in self.targets})
        yield f"| fault | targets | {' | '.join(map(str, versions))} | drops | right | unknown | wrong |"
        yield "|---|---:|" + "---:|" * (len(versions) + 4)
        for kind in kinds:
            targets = sum(count for (its_kind, _), count in self.targets.items() if its_kind == kind)
            yield self._row(kind, kind, targets, versions)
        yield self._row("all", None, sum(self.targets.values()), versions)
        yield ""
        yield from self._causes(kinds)
        yield ""
        yield "| fault | told | median | 99 % | longest |"
        yield "|---|---:|---:|---:|---:|"
        for kind, delays in self.delays.items():
            if delays:
                ordered = sorted(delays)
                shown = (ordered[len(ordered) * part // 100] for part in (50, 99))
                cells = [str(len(ordered)), *(f"{delay:.2f} s" for delay in (*shown, ordered[-1]))]
                yield f"| {kind} | {' | '.join(cells)} |"

    def _row(self, title, kind, targets, versions):
        cells = [str(targets)]
        for version in versions:
            found = [self.sum(kind, version, judgement) for judgement in ("right", "unknown", "wrong")]
            shown = " / ".join(map(str, found if found[2] else found[:2]))
            cells.append(shown if sum(found) else "–")
        cells += [str(self.sum(kind))]
        cells += [str(self.sum(kind, judgement=judgement)) for judgement in ("right", "unknown", "wrong")]
        return f"| {title} | {' | '.join(cells)} |"

    def _causes(self, kinds):
        causes = sorted({cause for _, _, cause, _ in self.drops})
        found = collections.Counter()
        for (kind, _, cause, _), count in self.drops.items():
            found[kind, cause] += count
        yield "| fault | " + " | ".join(causes) + " |"
        yield "|---|" + "---:|" * len(causes)
        for kind in kinds:
            yield f"| {kind} | " + " | ".join(str(found[kind, cause] or "") for cause in causes) + " |"

    def write_into(self, path):
        """Replaces what is between the marks in a Markdown file."""
        text = path.read_text()
        before, rest = text.split(_BEGIN + "\n")
        after = rest.split(_END, 1)[1]
        tables = "\n".join(self.tables())
        path.write_text(f"{before}{_BEGIN}\n\n{tables}\n\n{_END}{after}")
