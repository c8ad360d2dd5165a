"""A trading day: when it rolls, and what of it a restart has to know."""

import msgspec

from mmd.core.units import NANOS_PER_SECOND

_DAY_NS = 86_400 * NANOS_PER_SECOND


class DayState(msgspec.Struct, frozen=True, kw_only=True):
    """What a day has come to, in the reporting currency; handed from session to session.

    What the price did to a carried position while no daemon ran is not in it.

    Attributes:
        day: number of the day, see `day_of`.
        currency: the reporting currency.
        pnl_atoms: since the day's start, 1e-8 of the currency.
        peak_atoms: the most that has been.
    """

    day: int
    currency: str
    pnl_atoms: int
    peak_atoms: int


def day_of(unix_ns: int, starts_s: int) -> int:
    """Number of the day that a time belongs to, counted from 1970, where days start at starts_s of UTC."""
    return (unix_ns - starts_s * NANOS_PER_SECOND) // _DAY_NS


def begin_of(day: int, starts_s: int) -> int:
    """The first nanosecond, in Unix time, of the day that `day_of` gives this number."""
    return day * _DAY_NS + starts_s * NANOS_PER_SECOND
