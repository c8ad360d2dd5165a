"""The closed sets of reasons: why the risk gate refused a command, and why the risk level rose.

Each is a metric's label, so a name never changes its meaning and a number is never reused. Not here, on purpose:
value at risk, which needs a model, and the distance to liquidation, which spot positions do not have.
"""

from enum import IntEnum


class RiskReason(IntEnum):
    """Why a command was refused; OK if it was not."""

    OK = 0
    LEVEL = 1
    """The risk level allows no new orders, or only such as reduce the position."""
    NOT_TRADING = 2
    PRIVATE_DOWN = 3
    """Order entry or user data is not connected and reconciled."""
    UNKNOWN_ORDERS = 4
    """An order's fate is being asked for; until then nothing is added."""
    NOT_SYNCED = 5
    CROSSED_BOOK = 6
    STALE_BOOK = 7
    DUPLICATE_ID = 8
    PRICE_FILTER = 9
    """Outside the instrument's price range, or its ratio to the market."""
    QTY_MIN = 10
    QTY_MAX = 11
    NOTIONAL_MIN = 12
    NOTIONAL_MAX = 13
    COLLAR = 14
    """Too far from the mid or the last trade."""
    OWN_CROSS = 15
    """Would meet our own order on the other side."""
    OPEN_ORDERS = 16
    WORST_CASE_POSITION = 17
    """Position plus everything that may fill on that side would exceed the limit."""
    BALANCE = 18
    NOT_WORKING = 19
    """The order to replace or amend is not open, or an amend would not shrink it."""
    ORDER_RATE = 20
    MESSAGE_BUDGET = 21
    EXPOSURE = 22
    """Gross or net exposure of the venue, the asset or the session would exceed its limit, or cannot be valued."""
    BLACKOUT = 23
    """A scheduled blackout; orders that reduce the position pass, here and in the next three."""
    CLOCK_OFFSET = 24
    FEED_LATENCY = 25
    ORDER_TO_TRADE = 26
    """Too many orders of ours for the fills of the day."""
    ORDER_RESERVE = 27
    """What is left of the order budget is for orders that reduce risk."""


class LevelReason(IntEnum):
    """Why the risk level rose."""

    OPERATOR = 0
    STOP = 1
    """Graceful end of the session; cannot be resumed."""
    DAY_LOSS = 2
    DRAWDOWN = 3
    REJECT_STORM = 4
    ORDER_BREACH = 5
    """The venue contradicts what we know of an order."""
    POSITION_DRIFT = 6
    """Our position differs from the venue's."""
    ADVERSE_STREAK = 7
    VENUE_DOWN = 8
    CLOCK_OFFSET = 9
    FEED_LATENCY = 10
    MESSAGE_STORM = 11
    """More market data a second than the limit."""
