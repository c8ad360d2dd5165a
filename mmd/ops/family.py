"""Metric families that are quick to fill: a row is kept as it was given, and becomes text only once, in the answer to a scrape.

The client library makes an object and a dictionary for each sample, which of fifty instruments are thousands.
"""

from collections.abc import Iterable, Sequence

from prometheus_client.samples import Sample


class Family:
    """One metric: its name, kind, what it says, and its rows.

    Attributes:
        rows: of each sample what follows the name, the names of its labels, their values, and the number.
    """

    __slots__ = ("_labels", "_suffix", "documentation", "name", "rows", "type", "unit")

    def __init__(self, kind: str, name: str, text: str, labels: tuple[str, ...] = ()) -> None:
        """Without rows; kind as in the text format: counter, gauge, histogram."""
        self.type, self.name, self.documentation, self.unit = kind, name, text, ""
        self._labels = labels
        self._suffix = "_total" if kind == "counter" else ""
        self.rows: list[tuple[str, tuple[str, ...], tuple[str, ...], float]] = []

    def add_metric(self, labels: tuple[str, ...], value: float) -> None:
        """One more sample, with the values of the family's labels."""
        self.rows.append((self._suffix, self._labels, labels, value))

    def add_histogram(
        self,
        labels: tuple[str, ...],
        edges: Sequence[str],
        cumulative: Iterable[int],
        total: float,
    ) -> None:
        """One more distribution: counts up to each edge, the last of which is +Inf, and the sum of all samples."""
        names = (*self._labels, "le")
        count = 0
        for edge, count in zip(edges, cumulative, strict=True):
            self.rows.append(("_bucket", names, (*labels, edge), count))
        self.rows.append(("_count", self._labels, labels, count))
        self.rows.append(("_sum", self._labels, labels, total))

    @property
    def samples(self) -> list[Sample]:
        """The rows as the client library has them."""
        return [
            Sample(self.name + suffix, dict(zip(names, values, strict=True)), float(value))
            for suffix, names, values, value in self.rows
        ]


def counter(
    name: str, text: str, value: float | None = None, labels: tuple[str, ...] = ()
) -> Family:
    """A counter, whose samples end in _total; of one sample where a value is given."""
    return _of("counter", name, text, value, labels)


def gauge(name: str, text: str, value: float | None = None, labels: tuple[str, ...] = ()) -> Family:
    """A gauge; of one sample where a value is given."""
    return _of("gauge", name, text, value, labels)


def _of(kind: str, name: str, text: str, value: float | None, labels: tuple[str, ...]) -> Family:
    family = Family(kind, name, text, labels)
    if value is not None:
        family.add_metric((), value)
    return family
