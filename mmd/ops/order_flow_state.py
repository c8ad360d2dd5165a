"""What people see of an instrument's orders on their way: refusals by reason, answers by time, volume by side."""

import msgspec

from mmd.core.events import RejectReason
from mmd.core.maker import Maker
from mmd.core.units import Side
from mmd.ops.histogram_state import HistogramState, durations_state


class OrderFlowState(msgspec.Struct, frozen=True):
    """Everything about orders that is counted; volumes in base and in quote currency, by side."""

    rejects: dict[str, int]
    in_flight: int
    """Orders with a request that the venue has not answered."""
    timed_out: int
    foreign: int
    """Events about orders that are not this session's."""
    breaches: int
    """Events that contradict what we know of an order."""
    requoted: int
    """Orders that we took back or replaced."""
    volume_base: dict[str, float]
    volume_quote: dict[str, float]
    ack: HistogramState
    cancel: HistogramState


def order_flow_state(maker: Maker) -> OrderFlowState:
    """As it stands."""
    counts, ledger, instrument = maker.counts, maker.ledger, maker.instrument
    lot, tick = float(instrument.lot_size), float(instrument.tick_size)
    lots = [0, 0] if ledger.pnl is None else ledger.pnl.position.turnover_lots
    return OrderFlowState(
        rejects={r.name: n for r, n in zip(RejectReason, counts.rejects, strict=True) if n > 0},
        in_flight=sum(order.is_in_flight for order in maker.orders),
        timed_out=counts.timed_out,
        foreign=counts.foreign,
        breaches=counts.breaches,
        requoted=counts.requoted,
        volume_base={side.name: lots[side] * lot for side in Side},
        volume_quote={side.name: ledger.turnover_ticklots[side] * tick * lot for side in Side},
        ack=durations_state(counts.ack_times),
        cancel=durations_state(counts.cancel_times),
    )
