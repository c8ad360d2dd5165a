"""Everything that can happen to the engine, other than market data (see core.market.record).

Events are facts: a codec, a timer or an operator states them, the journal keeps them, the engine applies
them. They are msgpack arrays tagged by a number that never changes meaning.
"""

from enum import IntEnum

import msgspec

from mmd.core.instrument import TradingStatus
from mmd.core.units import ClientOrderId, InstrumentId, Side


class _Event(msgspec.Struct, frozen=True, array_like=True):
    """Base of all events; ts_recv_ns is the engine time at which it became known."""

    ts_recv_ns: int


class RejectReason(IntEnum):
    """Why a venue refused an order or a cancel, from a closed set."""

    OTHER = 0
    WOULD_TAKE = 1
    UNKNOWN_ORDER = 2
    FILTER = 3
    BALANCE = 4
    RATE_LIMIT = 5
    CLOCK = 6
    SIGNATURE = 7
    DUPLICATE = 8
    NOT_TRADING = 9


class EndReason(IntEnum):
    """Why an order left the book without being filled."""

    CANCELED = 0
    EXPIRED = 1
    SELF_TRADE = 2
    REPLACED = 3


class OrderAccepted(_Event, frozen=True, tag=1):
    """The venue has the order."""

    instrument: InstrumentId
    client_order_id: ClientOrderId
    venue_order_id: int
    ts_event_ns: int


class OrderRejected(_Event, frozen=True, tag=2):
    """The venue refused the order; it never existed there."""

    instrument: InstrumentId
    client_order_id: ClientOrderId
    reason: RejectReason
    code: int
    message: str


class OrderEnded(_Event, frozen=True, tag=3):
    """The order left the venue's book with leaves_lots unfilled."""

    instrument: InstrumentId
    client_order_id: ClientOrderId
    reason: EndReason
    filled_lots: int
    ts_event_ns: int


class CancelRejected(_Event, frozen=True, tag=4):
    """The venue refused to cancel (or replace): the order may be filled, gone, or never there."""

    instrument: InstrumentId
    client_order_id: ClientOrderId
    reason: RejectReason
    code: int
    message: str


class Fill(_Event, frozen=True, tag=5):
    """One of our trades. Idempotent by (instrument, trade_id)."""

    instrument: InstrumentId
    client_order_id: ClientOrderId
    venue_order_id: int
    trade_id: int
    side: Side
    price_ticks: int
    qty_lots: int
    is_maker: bool
    fee_atoms: int
    """Paid in fee_asset, 1e-8 units; negative is a rebate."""
    fee_asset: str
    ts_event_ns: int


class OrderStatus(_Event, frozen=True, tag=6):
    """What the venue says of an order when asked; `known` is False where it has never heard of it."""

    instrument: InstrumentId
    client_order_id: ClientOrderId
    known: bool
    open: bool
    venue_order_id: int
    side: Side
    price_ticks: int
    qty_lots: int
    filled_lots: int


class RequestTimedOut(_Event, frozen=True, tag=7):
    """No answer to a request in time: the order's fate is unknown until the venue is asked."""

    instrument: InstrumentId
    client_order_id: ClientOrderId


class Balance(_Event, frozen=True, tag=8):
    """Holdings of one asset at a venue, in atoms."""

    venue: str
    asset: str
    free_atoms: int
    locked_atoms: int


class Reconciled(_Event, frozen=True, tag=9):
    """Orders, fills and balances of a venue have been fetched; what preceded this is its picture.

    The first one sets the baseline: inventory is what is held beyond the session's target.
    """

    venue: str
    instrument: InstrumentId
    base_atoms: int
    trade_id: int | None = None
    """Of our newest trade, up to which all have been told; -1: we have none. None: nobody has looked."""


class FeedUp(_Event, frozen=True, tag=10):
    """A market-data connection for the instrument is open; its book follows as a snapshot."""

    instrument: InstrumentId


class FeedDown(_Event, frozen=True, tag=11):
    """The market-data connection was lost; the book is unknown until a new snapshot."""

    instrument: InstrumentId
    reason: str


class PrivateUp(_Event, frozen=True, tag=12):
    """Order entry and user data are connected and reconciled."""

    venue: str


class PrivateDown(_Event, frozen=True, tag=13):
    """Order entry or user data was lost: nothing may be sent until PrivateUp."""

    venue: str
    reason: str


class InstrumentStatus(_Event, frozen=True, tag=14):
    """The venue changed what may be done with an instrument."""

    instrument: InstrumentId
    status: TradingStatus


class ClockOffset(_Event, frozen=True, tag=15):
    """Venue clock minus ours, by the midpoint of a round trip."""

    venue: str
    offset_ns: int
    round_trip_ns: int
    venue_less_engine_ns: int | None = None
    """Venue clock minus engine time, which no step of our wall clock changes; None in journals from before it was told."""


class RateUsage(_Event, frozen=True, tag=16):
    """What the venue says is used up of a budget."""

    venue: str
    budget: str
    used: int
    limit: int
    interval_ns: int


class Timer(_Event, frozen=True, tag=17):
    """Time passes; sent by the driver at a fixed period."""


class Decision(_Event, frozen=True, tag=18):
    """The driver has applied all that was ready and asks for commands; number counts from 1."""

    number: int


class OperatorAction(IntEnum):
    """What a person may order."""

    HALT = 0
    RESUME = 1
    CANCEL_ALL = 2
    STOP = 3
    """Graceful end: pull every quote, send nothing new, never resume."""
    FLATTEN = 4
    """Pull every quote, close the position by taking, then halt."""


class OperatorCommand(_Event, frozen=True, tag=19):
    """A person (or the supervisor for one) wants something."""

    action: OperatorAction
    who: str


SettingValue = bool | int | float | str
"""Of one setting; decimals are text."""


class SettingsChanged(_Event, frozen=True, tag=27):
    """A person changed settings of the running session; see `mmd.core.settings_change`."""

    who: str
    changes: tuple[tuple[str, SettingValue], ...]
    """Field of the session's spec, e.g. risk.loss_max, and its value from now on."""


class DayMark(_Event, frozen=True, tag=20):
    """What the day has come to so far; changes nothing and is journalled for the next session to find."""

    day: int
    currency: str
    pnl_atoms: int
    peak_atoms: int


class ModelSwap(_Event, frozen=True, tag=21):
    """From here on an instrument is predicted by another model; an empty id: by none."""

    instrument: InstrumentId
    kind: str
    """As artefacts name it, e.g. price_lstm."""
    role: int
    """A mmd.core.learned.served_model.ModelRole."""
    model_id: str
    """Names the model's content, so that a replay takes the same one."""
    is_remote: bool = False
    """Its outputs come as ModelOutput events; else it is computed in the engine."""


class ModelRefused(_Event, frozen=True, tag=22):
    """A model was to be taken and is damaged, or made for something else; what there is goes on."""

    instrument: InstrumentId
    kind: str
    model_id: str
    reason: str


class ChoiceMade(_Event, frozen=True, tag=23):
    """A part that tries things out has chosen by lot; changes nothing and is journalled for who judges it later."""

    instrument: InstrumentId
    part: str
    """bandit or trial."""
    number: int
    """Of the decision, or of the block."""
    option: int
    """Of the bandit's arms, or a mmd.core.learned.trial_spec.TrialArm."""
    propensity: float


class FundingPaid(_Event, frozen=True, tag=24):
    """A perpetual's funding was exchanged on what we hold; to be told before the Balance that contains it.

    Payments come in the order of ts_event_ns; one that is told twice has the same.
    """

    instrument: InstrumentId
    received_atoms: int
    """1e-8 quote, negative: we paid."""
    ts_event_ns: int


class FundingRate(_Event, frozen=True, tag=25):
    """What the next exchange of funding will be, as far as the venue knows."""

    instrument: InstrumentId
    rate_e9: int
    """1e-9 of the position's notional, once an interval; positive: longs pay shorts."""
    interval_ns: int
    next_unix_ns: int


class ModelOutput(_Event, frozen=True, tag=26):
    """What a network that is computed outside of the engine says of a bar."""

    instrument: InstrumentId
    model_id: str
    number: int
    """Of the bar, as the network was asked."""
    outputs: tuple[float, ...]


Event = (
    OrderAccepted
    | OrderRejected
    | OrderEnded
    | CancelRejected
    | Fill
    | OrderStatus
    | RequestTimedOut
    | Balance
    | Reconciled
    | FeedUp
    | FeedDown
    | PrivateUp
    | PrivateDown
    | InstrumentStatus
    | ClockOffset
    | RateUsage
    | Timer
    | Decision
    | OperatorCommand
    | SettingsChanged
    | DayMark
    | ModelSwap
    | ModelRefused
    | ChoiceMade
    | FundingPaid
    | FundingRate
    | ModelOutput
)
