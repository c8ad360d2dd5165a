"""The bound on what rests before our orders: never more than was seen, and only ever less."""

from msgspec.structs import replace

from mmd.ops.queue_ahead import QueueAhead
from mmd.ops.state import InstrumentState, OrderState
from tests.ops_state import quoting, state_of


def picture(level_qty: str, *orders: OrderState) -> InstrumentState:
    """An instrument whose best bid shows a quantity, with these orders of ours."""
    row = state_of(quoting()).instruments[0]
    book = replace(row.book, bids=[("100.00", level_qty)], asks=[("100.01", "1.000")])
    return replace(row, book=book, orders=list(orders))


def bid(
    name: str = "a", price: str = "100.00", qty: str = "1.000", filled: str = "0.000"
) -> OrderState:
    return OrderState(name, "BUY", price, qty, filled, "WORKING", 0)


def ahead(queue: QueueAhead, row: InstrumentState, *, shows_own: bool = True) -> float | None:
    queue.follow(row, shows_own=shows_own)
    return queue.place(row).orders[0].queue_ahead


async def test_all_that_the_level_shows_is_ahead_and_then_only_less() -> None:
    """Whatever joins later is behind us; what leaves may have been behind us until the level is too small for that."""
    queue = QueueAhead()
    assert ahead(queue, picture("5.000", bid())) == 5.0
    assert ahead(queue, picture("6.000", bid())) == 5.0
    assert ahead(queue, picture("9.000", bid())) == 5.0
    assert ahead(queue, picture("3.000", bid())) == 2.0
    assert ahead(queue, picture("8.000", bid())) == 2.0


async def test_a_paper_order_is_not_in_the_book() -> None:
    """Nothing of ours is taken off the level then."""
    queue = QueueAhead()
    ahead(queue, picture("5.000", bid()), shows_own=False)
    assert ahead(queue, picture("3.000", bid()), shows_own=False) == 3.0


async def test_who_is_filled_is_first() -> None:
    """A partial fill shows that nothing was ahead."""
    queue = QueueAhead()
    ahead(queue, picture("5.000", bid()))
    assert ahead(queue, picture("4.000", bid(filled="0.500"))) == 0.0


async def test_another_price_is_another_queue_and_a_level_out_of_sight_stays_as_it_was() -> None:
    """Unknown before it was ever seen."""
    queue = QueueAhead()
    assert ahead(queue, picture("5.000", bid(price="99.00"))) is None
    assert ahead(queue, picture("5.000", bid())) == 5.0
    row = picture("5.000", bid())
    gone = replace(row, book=replace(row.book, bids=[("100.02", "1.000")]))
    assert ahead(queue, gone) == 5.0
    assert ahead(queue, picture("7.000", bid(name="b"))) == 7.0
