"""What `mmd simulate` says of many seeds' results: what happened, what held, and how fast it went."""

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmd.simulation.simulate import Conditions, SimulateResult

_S_PER_HOUR = 3_600.0
_S_PER_MINUTE = 60.0


def report_lines(results: "Sequence[SimulateResult]") -> list[str]:
    """A paragraph for each kind of run; rows of different code, settings, pace or length are not added up."""
    by_conditions: dict[Conditions, list[SimulateResult]] = {}
    for result in results:
        by_conditions.setdefault(result.conditions, []).append(result)
    lines: list[str] = []
    for conditions, rows in by_conditions.items():
        lines += [conditions.describe(), *_paragraph(rows)]
    return lines


def _paragraph(rows: "Sequence[SimulateResult]") -> list[str]:
    hours = sum(r.simulated_s for r in rows) / _S_PER_HOUR
    cpu_s = max(sum(r.cpu_s for r in rows), 1e-9)
    faults: Counter[str] = Counter()
    for row in rows:
        faults.update(row.faults)
    by_kind = ", ".join(f"{kind} {n:,}" for kind, n in sorted(faults.items())) or "none"
    failed = [row for row in rows if row.broken]
    happened = (
        f"{sum(r.events for r in rows):,} events, {sum(r.orders for r in rows):,} orders "
        f"in {sum(r.orders > 0 for r in rows):,} seeds, {sum(r.fills for r in rows):,} fills "
        f"in {sum(r.fills > 0 for r in rows):,} seeds, {sum(r.crashes for r in rows):,} crashes, "
        f"{sum(r.guarded for r in rows):,} times the guardian saw all gone"
    )
    checked = (
        f"{sum(r.checks for r in rows):,} checks ({sum(r.checks_at_rest for r in rows):,} at rest), "
        f"worst case {max(r.worst_case_ratio_max for r in rows):.0%} of the limit"
    )
    speed = (
        f"{cpu_s:,.0f} s of one core: {hours * _S_PER_HOUR / cpu_s:.0f} times real time, "
        f"{hours * _S_PER_MINUTE / cpu_s:.2f} simulated hours a minute"
    )
    return [
        f"{len(rows):,} seeds, {hours:,.2f} simulated hours: {len(failed)} failed",
        happened,
        checked,
        speed,
        f"{faults.total():,} faults: {by_kind}",
        *(f"seed {row.seed} failed: {row.broken}" for row in failed),
    ]
