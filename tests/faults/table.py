"""What became of each row of the fault matrix, and the table that it is printed in."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

HEADINGS = (
    "family",
    "fault",
    "detected ms",
    "recovered ms",
    "orders lost",
    "fills lost",
    "position drift",
    "what was seen",
)


class Outcome(NamedTuple):
    """One row: times in ms since the fault was injected, losses by the exchange's own records.

    detected_ms is None where nothing had to be noticed, recovered_ms where the daemon ends by design.
    """

    family: str
    name: str
    detected_ms: float | None = None
    recovered_ms: float | None = None
    orders_lost: int = 0
    fills_lost: int = 0
    drift_atoms: int = 0
    seen: str = ""
    skipped: str = ""
    failed: str = ""
    is_audited: bool = True
    """Whether there were orders, fills and holdings to compare."""

    @property
    def holds(self) -> bool:
        """Whether the row was tried and nothing was lost."""
        lost = self.orders_lost, self.fills_lost, self.drift_atoms
        return not self.failed and not self.skipped and lost == (0, 0, 0)

    def cells(self) -> list[str]:
        """The row as text."""
        if self.skipped:
            return [self.family, self.name, *["-"] * 5, f"skipped: {self.skipped}"]
        times = [
            "-" if ms is None else f"{ms:,.0f}" for ms in (self.detected_ms, self.recovered_ms)
        ]
        lost = [
            str(n) if self.is_audited else "-"
            for n in (self.orders_lost, self.fills_lost, self.drift_atoms)
        ]
        said = f"FAILED: {self.failed}" if self.failed else self.seen
        return [self.family, self.name, *times, *lost, said]


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The table as Markdown."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---|--:|--:|--:|--:|--:|---|"]
    lines += ["| " + " | ".join(c.replace("|", "/") for c in o.cells()) + " |" for o in outcomes]
    return "\n".join(lines)


def total(outcomes: Iterable[Outcome]) -> str:
    """One line for all rows."""
    rows = list(outcomes)
    held, skipped = sum(o.holds for o in rows), sum(bool(o.skipped) for o in rows)
    lost = [
        sum(column) for column in zip(*((o.orders_lost, o.fills_lost) for o in rows), strict=True)
    ]
    return (
        f"{len(rows)} faults: {held} survived, {len(rows) - held - skipped} failed, {skipped} skipped; "
        f"{lost[0]} orders and {lost[1]} fills lost"
    )
