"""Whether to quote, how widely and on which sides: one table from conditions to a state and its reason.

The table (`quote_state`) is read from the top, the first row that holds decides: what makes prices unknown
comes before what makes them risky, and that before what makes them unattractive. The state depends on the
present alone, so a replay needs no history; whoever keeps the last one reports the change.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

INVENTORY_RATIO_MAX: Final = 0.9


class QuoteState(IntEnum):
    """What the quoting stage does for an instrument."""

    ACTIVE = 0
    PASSIVE = 1
    """Both sides, wider and smaller."""
    AGGRESSIVE = 2
    """Both sides, tighter."""
    WITHDRAWN = 3
    """No orders."""
    INVENTORY_LIMIT = 4
    """Only the side that brings inventory back."""


class QuoteReason(IntEnum):
    """Why the state is not ACTIVE; a closed set, so that it can label a metric."""

    NONE = 0
    OPERATOR = 1
    NOT_TRADING = 2
    FEED_DOWN = 3
    PRIVATE_DOWN = 4
    BOOK_STALE = 5
    BOOK_CROSSED = 6
    WARM_UP = 7
    RISK = 8
    VOLATILITY = 9
    SPREAD_TOO_NARROW = 10
    INVENTORY = 11
    BLACKOUT = 12
    CLOCK_OFFSET = 13
    FEED_LATENCY = 14
    FAVOURABLE = 15
    """Not what keeps from quoting, but what allows to quote tighter; see mmd.core.shaping."""
    UNKNOWN_ORDERS = 16
    """What became of an order is being asked for."""


@dataclass(slots=True, kw_only=True)
class Conditions:
    """What the state depends on; one object per instrument, kept current by the engine.

    No msgspec Struct, unlike other values: setting a field of one takes 70 ns, of this 10.

    Limits at their defaults are off. sigma and its limits share a unit, ticks per square root of a second.
    """

    operator_on: bool = True
    trading: bool = False
    feed_up: bool = False
    private_up: bool = False
    orders_known: bool = True
    book_synced: bool = False
    book_crossed: bool = False
    warm: bool = False
    risk_may_quote: bool = True
    risk_reduce_only: bool = False
    risk_cautious: bool = False
    hindrance: QuoteReason = QuoteReason.NONE
    """What forbids to add risk now."""
    book_age_ns: int = 0
    book_age_ns_max: int = 2**63 - 1
    sigma: float = 0.0
    sigma_wide: float = float("inf")
    """Above it quotes are wider."""
    sigma_max: float = float("inf")
    """Above it there are none."""
    spread_ticks: float = 1.0
    spread_ticks_min: float = 0.0
    """The narrowest market spread that pays for the fees."""
    inventory_ratio: float = 0.0
    inventory_ratio_max: float = INVENTORY_RATIO_MAX
    favourable: bool = False
    """Our fills earn, the market is calm and we hold little."""


_NONE: Final = QuoteReason.NONE
_UNHINDERED: Final = (QuoteState.ACTIVE, QuoteReason.NONE)


def quote_state(  # noqa: C901, PLR0911, PLR0912 - a table
    c: Conditions,
) -> tuple[QuoteState, QuoteReason]:
    """State and reason by the first row that holds; (ACTIVE, NONE) if none does.

    A chain of ifs and not a table of predicates: with nothing wrong every row is looked at on every decision,
    and thirteen calls took 2 us where this takes 0.3. Comparisons are written so that a NaN withdraws.
    """
    if not c.operator_on:
        return QuoteState.WITHDRAWN, QuoteReason.OPERATOR
    if not c.trading:
        return QuoteState.WITHDRAWN, QuoteReason.NOT_TRADING
    if not c.feed_up:
        return QuoteState.WITHDRAWN, QuoteReason.FEED_DOWN
    if not c.private_up:
        return QuoteState.WITHDRAWN, QuoteReason.PRIVATE_DOWN
    if not c.orders_known:
        return QuoteState.WITHDRAWN, QuoteReason.UNKNOWN_ORDERS
    if not c.book_synced or c.book_age_ns > c.book_age_ns_max:
        return QuoteState.WITHDRAWN, QuoteReason.BOOK_STALE
    if c.book_crossed:
        return QuoteState.WITHDRAWN, QuoteReason.BOOK_CROSSED
    if not c.warm:
        return QuoteState.WITHDRAWN, QuoteReason.WARM_UP
    if not c.risk_may_quote:
        return QuoteState.WITHDRAWN, QuoteReason.RISK
    if c.hindrance is not _NONE:
        return QuoteState.WITHDRAWN, c.hindrance
    if not c.sigma <= c.sigma_max:
        return QuoteState.WITHDRAWN, QuoteReason.VOLATILITY
    if not c.spread_ticks >= c.spread_ticks_min:
        return QuoteState.WITHDRAWN, QuoteReason.SPREAD_TOO_NARROW
    if c.risk_reduce_only:
        return QuoteState.INVENTORY_LIMIT, QuoteReason.RISK
    if not -c.inventory_ratio_max <= c.inventory_ratio <= c.inventory_ratio_max:
        return QuoteState.INVENTORY_LIMIT, QuoteReason.INVENTORY
    if c.risk_cautious:
        return QuoteState.PASSIVE, QuoteReason.RISK
    if c.sigma > c.sigma_wide:
        return QuoteState.PASSIVE, QuoteReason.VOLATILITY
    if c.favourable:
        return QuoteState.AGGRESSIVE, QuoteReason.FAVOURABLE
    return _UNHINDERED


def sides_allowed(state: QuoteState, inventory_ratio: float) -> tuple[bool, bool]:
    """Whether bids and whether asks may be quoted; at INVENTORY_LIMIT a flat account quotes neither."""
    if state is QuoteState.WITHDRAWN:
        return False, False
    if state is QuoteState.INVENTORY_LIMIT:
        return inventory_ratio < 0.0, inventory_ratio > 0.0
    return True, True
