"""Which of our orders count as standing in the venue's book."""

from mmd.core.market import book as books
from mmd.core.market.others_book import OWN_MAX, take_out_own
from mmd.core.orders.order_diff import new_working
from mmd.core.orders.own_levels import OwnLevels
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.units import Side
from mmd.jit.kernel import bind, new
from tests.order_events import INSTRUMENT, SESSION, accepted, ended, fill, place, status

TAKE_OUT = bind(take_out_own, new(books.BOOK), OwnLevels().record)
Levels = dict[int, int]


def _orders() -> tuple[WorkingOrders, OwnLevels]:
    own = OwnLevels()
    return WorkingOrders(INSTRUMENT, SESSION, new_working(), own=own), own


def _shown(own: OwnLevels, side: Side) -> dict[int, int]:
    """Lots by price."""
    record = own.record[0]
    n, shown = int(record["n"][side]), {}
    for px, lots in zip(
        record["px"][side, :n].tolist(), record["lots"][side, :n].tolist(), strict=True
    ):
        shown[px] = shown.get(px, 0) + lots
    return shown


def test_an_order_counts_from_its_acknowledgement_to_its_end() -> None:
    """Not when it was sent: the venue may not have it yet."""
    orders, own = _orders()
    orders.on_sent(place(1, Side.BUY, 100, 10), 0)
    assert _shown(own, Side.BUY) == {}
    orders.apply(accepted(1))
    assert _shown(own, Side.BUY) == {100: 10}
    orders.apply(fill(1, 1, 4, price_ticks=100))
    assert _shown(own, Side.BUY) == {100: 6}
    orders.apply(ended(1, 4))
    assert _shown(own, Side.BUY) == {}


def test_a_leaving_order_counts_until_it_has_left() -> None:
    """A cancel that was sent has not happened yet; nor has one that was lost."""
    orders, own = _orders()
    orders.on_sent(place(1, Side.SELL, 100, 10), 0)
    orders.apply(accepted(1))
    orders.on_link_lost(1)
    assert _shown(own, Side.SELL) == {100: 10}
    orders.apply(status(1, is_open=False, side=Side.SELL, price_ticks=100))
    assert _shown(own, Side.SELL) == {}


def test_more_orders_than_there_are_places_are_left_in_the_book() -> None:
    """And places that come free are used again."""
    orders, own = _orders()
    for sequence in range(1, OWN_MAX + 3):
        orders.on_sent(place(sequence, Side.BUY, 100 + sequence, 1), 0)
        orders.apply(accepted(sequence))
    assert len(_shown(own, Side.BUY)) == OWN_MAX
    for sequence in range(1, OWN_MAX + 1):
        orders.apply(ended(sequence))
    assert _shown(own, Side.BUY) == {}
    orders.on_sent(place(90, Side.BUY, 90, 5), 0)
    orders.apply(accepted(90))
    assert _shown(own, Side.BUY) == {90: 5}
