"""Builders of instruments, commands and private events, with the fields that a test does not care about filled in."""

from decimal import Decimal

from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.events import (
    CancelRejected,
    EndReason,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RejectReason,
    RequestTimedOut,
)
from mmd.core.instrument import Instrument
from mmd.core.units import InstrumentId, Side, TimeInForce, client_order_id

INSTRUMENT = InstrumentId(0)
SESSION = 7


def instrument(**changes):
    """NEXOUSDT-like: tick 0.001, lot 0.01."""
    fields = {
        "id": INSTRUMENT,
        "venue": "test",
        "symbol": "NEXOUSDT",
        "base": "NEXO",
        "quote": "USDT",
        "settle": "USDT",
        "tick_size": Decimal("0.001"),
        "lot_size": Decimal("0.01"),
    }
    return Instrument(**(fields | changes))


def order_id(sequence, session=SESSION):
    return client_order_id(session, sequence)


def place(sequence, side=Side.BUY, price_ticks=1000, qty_lots=10):
    return PlaceOrder(
        INSTRUMENT, order_id(sequence), side, price_ticks, qty_lots, TimeInForce.POST_ONLY
    )


def replace(old, new, side=Side.BUY, price_ticks=1001, qty_lots=10):
    return ReplaceOrder(
        INSTRUMENT,
        order_id(old),
        order_id(new),
        side,
        price_ticks,
        qty_lots,
        TimeInForce.POST_ONLY,
    )


def accepted(sequence, ts_ns=1):
    return OrderAccepted(ts_ns, INSTRUMENT, order_id(sequence), 1000 + sequence, 0)


def rejected(sequence, reason=RejectReason.OTHER, ts_ns=1):
    return OrderRejected(ts_ns, INSTRUMENT, order_id(sequence), reason, -1, "no")


def ended(sequence, filled_lots=0, reason=EndReason.CANCELED, ts_ns=1):
    return OrderEnded(ts_ns, INSTRUMENT, order_id(sequence), reason, filled_lots, 0)


def cancel_rejected(sequence, reason=RejectReason.UNKNOWN_ORDER, ts_ns=1):
    return CancelRejected(ts_ns, INSTRUMENT, order_id(sequence), reason, -1, "no")


def timed_out(sequence, ts_ns=1):
    return RequestTimedOut(ts_ns, INSTRUMENT, order_id(sequence))


def fill(
    sequence,
    trade_id,
    qty_lots,
    side=Side.BUY,
    price_ticks=1000,
    *,
    fee_atoms=0,
    fee_asset="USDT",
    ts_ns=1,
    session=SESSION,
):
    return Fill(
        ts_ns,
        INSTRUMENT,
        order_id(sequence, session),
        1000 + sequence,
        trade_id,
        side,
        price_ticks,
        qty_lots,
        True,
        fee_atoms,
        fee_asset,
        0,
    )


def status(
    sequence,
    known=True,
    is_open=True,
    side=Side.BUY,
    price_ticks=1000,
    qty_lots=10,
    filled_lots=0,
    ts_ns=1,
):
    return OrderStatus(
        ts_ns,
        INSTRUMENT,
        order_id(sequence),
        known,
        is_open,
        1000 + sequence,
        side,
        price_ticks,
        qty_lots,
        filled_lots,
    )
