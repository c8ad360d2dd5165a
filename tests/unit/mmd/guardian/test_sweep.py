"""Orders are taken back until the venue lists none after all that was on its way must have arrived."""

from collections.abc import Sequence

from mmd.errors import VenueError
from mmd.guardian.sweep import OwnOrder, Tally, sweep


class Bench:
    """A venue and a clock that a test scripts; pauses pass at once."""

    name, straggle_s = "bench", 2.0

    def __init__(self, *names: str) -> None:
        self.orders = [OwnOrder("X", name) for name in names]
        self.now_ns = 0
        self.refuses: list[str] = []
        self.arrives: dict[int, str] = {}
        self.asked_ns: list[int] = []
        self.canceled: list[str] = []
        self.tally = Tally(self.name)

    def monotonic_ns(self) -> int:
        return self.now_ns

    def unix_ns(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)
        for due_ns in [d for d in self.arrives if d <= self.now_ns]:
            self.orders.append(OwnOrder("X", self.arrives.pop(due_ns)))

    async def working(self) -> Sequence[OwnOrder]:
        self.asked_ns.append(self.now_ns)
        if self.refuses:
            raise VenueError(self.refuses.pop())
        return list(self.orders)

    async def cancel(self, order: OwnOrder) -> None:
        self.canceled.append(order.client_order_id)
        if order.client_order_id == "stuck" and self.canceled.count("stuck") < 3:
            raise VenueError("try again")
        self.orders.remove(order)

    async def keep_ready(self) -> None:
        """Always."""

    async def close(self) -> None:
        """Nothing is open."""

    async def run(self, is_wanted: object = lambda: True) -> Tally:
        await sweep(self, is_wanted, self, self.sleep, self.tally)  # type: ignore[arg-type]
        return self.tally


async def test_a_straggler_is_waited_for() -> None:
    """An order that arrives within the receive window is taken back, too; the last list is asked for after it."""
    bench = Bench("a", "b")
    bench.arrives[1_900_000_000] = "late"
    tally = await bench.run()
    assert bench.canceled == ["a", "b", "late"]
    assert (tally.confirmed, tally.canceled, tally.failures) == (True, 3, 0)
    assert bench.asked_ns[-1] >= 2_000_000_000
    assert tally.clear_ns >= 1_900_000_000


async def test_nothing_is_confirmed_by_a_venue_that_does_not_answer() -> None:
    """It is asked again, less and less often, and one order that stays does not spare the others."""
    bench = Bench("stuck", "b")
    bench.refuses = ["down"] * 4
    tally = await bench.run()
    assert bench.canceled == ["stuck", "b", "stuck", "stuck"]
    assert (tally.confirmed, tally.canceled, tally.failures) == (True, 2, 6)
    gaps = [b - a for a, b in zip(bench.asked_ns[:4], bench.asked_ns[1:5], strict=True)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]


async def test_a_daemon_that_is_back_sees_to_its_orders_itself() -> None:
    """The rest is left to it."""
    bench = Bench("a", "b", "c")
    tally = await bench.run(lambda: len(bench.canceled) < 2)
    assert bench.canceled == ["a", "b"]
    assert not tally.confirmed
