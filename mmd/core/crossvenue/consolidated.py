"""All venues' books of one base asset side by side, in one currency, each with its own age and latency."""

from collections.abc import Sequence
from typing import NamedTuple

from mmd.core.crossvenue.conversion import Conversions
from mmd.core.crossvenue.outlet import Condition, Outlet
from mmd.core.units import Side


class Row(NamedTuple):
    """One venue's best prices in reporting currency; None where its currency cannot be converted now."""

    outlet: Outlet
    bid: float | None
    ask: float | None
    age_ns: int
    feed_latency_ns: int | None
    """Age of the last event when it came; None where the venue states no times or its clock is unknown."""
    order_latency_ns: int
    condition: Condition


class Level(NamedTuple):
    """One level of one venue."""

    price: float
    qty_atoms: int
    outlet: int


class ConsolidatedBook:
    """Every outlet of a base asset.

    Attributes:
        base: the asset.
        outlets: in the order of the session's instruments.
    """

    def __init__(
        self,
        base: str,
        outlets: Sequence[Outlet],
        conversions: Conversions,
    ) -> None:
        self.base = base
        self.outlets = outlets
        self._conversions = conversions

    def rows(self, now_ns: int) -> list[Row]:
        """Each venue as it stands; those that cannot be relied on say so."""
        return [self._row(outlet, now_ns) for outlet in self.outlets]

    def levels(self, side: Side, now_ns: int) -> list[Level]:
        """The levels of all reliable books together, best first, without our own orders."""
        found: list[Level] = []
        for outlet in self.outlets:
            rate = self._conversions.rate(outlet.id, now_ns)
            if rate is not None and outlet.condition(now_ns) is Condition.GOOD:
                tick = outlet.tick * (rate.low if side is Side.BUY else rate.high)
                found += [Level(t * tick, atoms, outlet.id) for t, atoms in outlet.levels(side)]
        return sorted(found, key=lambda level: (-side.sign * level.price, level.outlet))

    def _row(self, outlet: Outlet, now_ns: int) -> Row:
        rate, view = self._conversions.rate(outlet.id, now_ns), outlet.view
        lag_ns, less_ns = view.lag_ns, outlet.venue_less_engine_ns
        latency_ns = None if lag_ns is None or less_ns is None else lag_ns + less_ns
        has_book = rate is not None and view.mid_half_ticks > 0
        return Row(
            outlet=outlet,
            bid=view.bid_ticks * outlet.tick * rate.low if has_book and rate is not None else None,
            ask=view.ask_ticks * outlet.tick * rate.high if has_book and rate is not None else None,
            age_ns=outlet.age_ns(now_ns) if view.changed_ns > 0 else 0,
            feed_latency_ns=latency_ns,
            order_latency_ns=round(outlet.latency.latency_ns),
            condition=outlet.condition(now_ns),
        )
