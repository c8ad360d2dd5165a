"""Prometheus families of orders on their way, and of what was traded."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from mmd.core.events import RejectReason
from mmd.core.orders.order_state import OrderState
from mmd.ops.family import Family, counter, gauge
from mmd.ops.histogram_metrics import histogram_family
from mmd.ops.histogram_state import HistogramState
from mmd.ops.order_flow_state import OrderFlowState
from mmd.ops.state import InstrumentState

_LABELS = ("venue", "instrument")
_BPS = 1e4
_WORKING = frozenset({OrderState.WORKING.name, OrderState.PARTIALLY_FILLED.name})
_COUNTERS: tuple[tuple[str, str, Callable[[OrderFlowState], float]], ...] = (
    ("mmd_orders_timed_out", "Requests that nobody answered in time", lambda f: f.timed_out),
    ("mmd_orders_foreign", "Events about orders that are not this session's", lambda f: f.foreign),
    (
        "mmd_orders_breached",
        "Events that contradict what is known of an order",
        lambda f: f.breaches,
    ),
    ("mmd_orders_requoted", "Orders that were taken back or replaced", lambda f: f.requoted),
)
_Found = list[tuple[tuple[str, str], InstrumentState, OrderFlowState]]


def order_metrics(instruments: Sequence[InstrumentState]) -> Iterator[Family]:
    """All of them."""
    found: _Found = [
        ((i.venue, i.symbol), i, i.order_flow) for i in instruments if i.order_flow is not None
    ]
    for name, text, value_of in _COUNTERS:
        family = counter(name, text, labels=_LABELS)
        for labels, _, flow in found:
            family.add_metric(labels, value_of(flow))
        yield family
    yield from _rejects(found)
    yield from _quotes(found)
    yield from _volumes(found)
    yield histogram_family(
        "mmd_order_ack_seconds",
        "From sending an order to the venue's word that it is working",
        ("venue",),
        _by_venue((labels[0], flow.ack) for labels, _, flow in found),
    )
    yield histogram_family(
        "mmd_order_cancel_seconds",
        "From asking for an order's end to that end",
        ("venue",),
        _by_venue((labels[0], flow.cancel) for labels, _, flow in found),
    )


def _by_venue(
    rows: Iterable[tuple[str, HistogramState]],
) -> Iterator[tuple[tuple[str], HistogramState]]:
    """Together: it is the venue that takes its time, and buckets for each instrument would be thousands of lines."""
    sums: dict[str, HistogramState] = {}
    for venue, state in rows:
        sums[venue] = sums[venue].plus(state) if venue in sums else state
    yield from (((venue,), state) for venue, state in sums.items())


def _rejects(found: _Found) -> Iterator[Family]:
    rejects = counter(
        "mmd_order_rejects", "Orders that the venue refused, by reason", labels=("venue", "reason")
    )
    flying = gauge(
        "mmd_orders_in_flight", "Orders with a request that is not answered yet", labels=_LABELS
    )
    refused: dict[str, Counter[str]] = {}
    for labels, _, flow in found:
        flying.add_metric(labels, flow.in_flight)
        refused.setdefault(labels[0], Counter()).update(flow.rejects)
    for venue, counts in refused.items():
        for reason in RejectReason:
            rejects.add_metric((venue, reason.name), counts[reason.name])
    yield from (rejects, flying)


def _quotes(found: _Found) -> Iterator[Family]:
    """Where our orders stand and how large they are."""
    rung = (*_LABELS, "side", "ladder_level")
    away = gauge(
        "mmd_quote_distance_bps", "Distance of a working order from the mid, bps", labels=rung
    )
    size = gauge("mmd_quote_leaves_base", "What is left of it, base", labels=rung)
    for labels, i, _ in found:
        best: dict[tuple[str, str], tuple[float, float]] = {}
        for order in i.orders:
            if order.state in _WORKING and i.mid is not None:
                distance_bps = abs(float(order.price) / i.mid - 1.0) * _BPS
                leaves = float(order.qty) - float(order.filled)
                at = order.side, str(order.level)
                nearest, total = best.get(at, (distance_bps, 0.0))
                best[at] = min(nearest, distance_bps), total + leaves
        for at, (distance_bps, leaves) in best.items():
            away.add_metric((*labels, *at), distance_bps)
            size.add_metric((*labels, *at), leaves)
    yield from (away, size)


def _volumes(found: _Found) -> Iterator[Family]:
    """What was traded, and what it earned at the moment of the trade."""
    sided = (*_LABELS, "side")
    base = counter("mmd_fills_volume_base", "Quantity traded, base", labels=sided)
    quote = counter("mmd_fills_volume_quote", "Value traded, quote", labels=sided)
    edge = gauge(
        "mmd_fill_edge_bps",
        "Mean distance of our trades from the mid of that moment, for us, bps",
        labels=_LABELS,
    )
    for labels, i, flow in found:
        for side, volume in flow.volume_base.items():
            base.add_metric((*labels, side), volume)
            quote.add_metric((*labels, side), flow.volume_quote[side])
        traded = sum(flow.volume_quote.values())
        if traded > 0.0:
            edge.add_metric(labels, i.edge / traded * _BPS)
    yield from (base, quote, edge)
