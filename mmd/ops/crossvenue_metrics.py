"""Metric families of what is done across venues."""

from collections.abc import Iterator

from mmd.ops.crossvenue_state import CrossVenueState
from mmd.ops.family import Family, counter, gauge

_VENUE = ("venue", "instrument")


def crossvenue_metrics(cross: CrossVenueState | None) -> Iterator[Family]:
    """All of them; none where a session has nothing to do across venues."""
    if cross is None:
        return
    counted: tuple[tuple[str, str, str, dict[str, int]], ...] = (
        (
            "mmd_arbitrage_closed",
            "Opportunities that ended, by why",
            "reason",
            cross.closed,
        ),
        ("mmd_arbitrage_executions", "Executions that ended, by how", "outcome", cross.outcomes),
        (
            "mmd_arbitrage_held_back",
            "Opportunities that were not begun with, by why",
            "cause",
            cross.held_back,
        ),
    )
    yield counter("mmd_arbitrage_opened", "Opportunities found", cross.opened)
    for name, text, label, counts in counted:
        family = counter(name, text, labels=(label,))
        for value, count in counts.items():
            family.add_metric((value,), count)
        yield family
    gauges: tuple[tuple[str, str, float | None], ...] = (
        (
            "mmd_arbitrage_open_net",
            "Net profit of the open opportunities, reporting currency",
            cross.open_net,
        ),
        (
            "mmd_arbitrage_found_net",
            "Net profit of all opportunities when opened, reporting currency",
            cross.found_net,
        ),
        ("mmd_arbitrage_lifetime_seconds", "Mean lifetime of opportunities", cross.lifetime_s),
        (
            "mmd_arbitrage_expected_net",
            "Executions: profit expected, reporting currency",
            cross.expected_net,
        ),
        (
            "mmd_arbitrage_realised_net",
            "Executions: profit realised, reporting currency",
            cross.realised_net,
        ),
    )
    for name, text, amount in gauges:
        if amount is not None:
            yield gauge(name, text, amount)
    yield from _venues(cross)


def _venues(cross: CrossVenueState) -> Iterator[Family]:
    """How good each venue's picture and its order entry are."""
    latency = gauge("mmd_order_latency_seconds", "Round trip of an order, measured", labels=_VENUE)
    usable = gauge(
        "mmd_consolidated_usable", "1 while the book counts in the consolidated view", labels=_VENUE
    )
    for row in (row for book in cross.books for row in book.rows):
        latency.add_metric((row.venue, row.symbol), row.order_latency_s)
        usable.add_metric((row.venue, row.symbol), row.condition == "GOOD")
    yield latency
    yield usable
    routed = counter("mmd_orders_routed", "Orders routed to each venue", labels=_VENUE)
    for name, count in cross.routed.items():
        routed.add_metric(tuple(name.split(":", 1)), count)
    yield routed
