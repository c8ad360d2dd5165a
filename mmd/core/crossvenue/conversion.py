"""Live conversion of quote currencies into the reporting currency: a stablecoin against a dollar is a price, not 1."""

from collections.abc import Sequence
from typing import NamedTuple

from mmd.core.instrument import Instrument
from mmd.core.market_view import MarketView
from mmd.core.risk.commitments import Conversion, conversion
from mmd.errors import ConfigError


class Rate(NamedTuple):
    """Reporting currency for one unit of a quote currency: what selling the unit brings, what buying it costs."""

    low: float
    high: float

    @property
    def mid(self) -> float:
        """Between the two: what neither is sold nor bought is valued at."""
        return (self.low + self.high) / 2


PAR = Rate(1.0, 1.0)
"""The reporting currency itself."""


class Conversions:
    """Rates of a session's quote currencies, read from the books of the instruments between two currencies.

    Attributes:
        unconverted: quote currencies that no instrument of the session converts.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        views: Sequence[MarketView],
        reporting: str,
        age_ns_max: int,
    ) -> None:
        """A book older than age_ns_max gives no rate."""
        self._views = views
        self._tick = [float(i.tick_size) for i in instruments]
        self._age_ns_max = age_ns_max
        self._by = [_found(i, instruments, reporting) for i in instruments]
        self.unconverted = sorted(
            {i.quote for i, by in zip(instruments, self._by, strict=True) if by is None}
        )

    def is_fixed(self, instrument: int) -> bool:
        """Whether an instrument is quoted in the reporting currency."""
        by = self._by[instrument]
        return by is not None and by.instrument is None

    def rate(self, instrument: int, now_ns: int) -> Rate | None:
        """The rate of an instrument's quote currency; None while there is no trustworthy price for it."""
        by = self._by[instrument]
        if by is None:
            return None
        if by.instrument is None:
            return PAR
        view = self._views[by.instrument]
        is_usable = view.is_synced and not view.is_crossed
        if not is_usable or now_ns - view.changed_ns > self._age_ns_max:
            return None
        tick = self._tick[by.instrument]
        bid, ask = view.bid_ticks * tick, view.ask_ticks * tick
        return Rate(1.0 / ask, 1.0 / bid) if by.is_inverse else Rate(bid, ask)


def _found(
    instrument: Instrument, instruments: Sequence[Instrument], reporting: str
) -> Conversion | None:
    try:
        return conversion(instrument, instruments, reporting)
    except ConfigError:
        return None
