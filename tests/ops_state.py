"""States of a small daemon, made by the real snapshot of a real engine."""

from types import SimpleNamespace

from mmd.core.commands import PlaceOrder
from mmd.core.durations import Durations
from mmd.core.units import Side
from mmd.ops.picture import Picture
from mmd.ops.snapshot import instrument_state, session_state
from mmd.ops.state import State
from tests.driver_bench import DriverBench

JOURNAL = SimpleNamespace(records=3, bytes_written=400, unsynced_bytes=100, sync_times=Durations())


def picture_of(bench: DriverBench) -> Picture:
    """What takes the pieces of the bench's daemon."""
    engine = bench.real_engine

    def session() -> State:
        return session_state(engine, bench.driver, JOURNAL, bench.now_ns)  # type: ignore[arg-type]

    takes = [lambda m=m: instrument_state(engine, m, bench.now_ns) for m in engine.makers]
    return Picture(session, takes)


def state_of(bench: DriverBench) -> State:
    """The bench's daemon as it stands."""
    return picture_of(bench).whole()


def obey_all(bench: DriverBench) -> None:
    """The driver decides, the venue does what it was told."""
    bench.driver.decide()
    sent, bench.venue.sent = bench.venue.sent, []
    for command in sent:
        bench.obey(command)


def cold() -> DriverBench:
    """Nothing is connected yet."""
    bench = DriverBench()
    bench.start()
    bench.driver.stop()
    return bench


def quoting() -> DriverBench:
    """Six orders work, one bid is filled in full."""
    bench = cold()
    bench.bring_up()
    obey_all(bench)
    best = next(i for i, o in bench.open.items() if o is bench.best(Side.BUY))
    assert isinstance(bench.open[best], PlaceOrder)
    bench.fill(best)
    del bench.open[best]
    return bench
