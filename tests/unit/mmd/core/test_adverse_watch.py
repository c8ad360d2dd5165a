"""An instrument that watches its fills: what it tells the quoter, and that it replays."""

import pytest

from mmd.config_adverse import AdverseSection
from mmd.core.events import OperatorAction, OperatorCommand
from mmd.core.units import Side
from tests.engine_bench import EngineBench
from tests.session import quoting, session_spec

EAGER = AdverseSection(
    mode="threshold", tests_min=1, size_ratio_max=0.5, fills_per_minute_max=100, response_step=1.0
)
"""An order that is filled whole is adverse at once."""


def bench_of(settings: AdverseSection = EAGER, model: str = "glft") -> EngineBench:
    spec = session_spec(
        adverse=settings.spec(), quoting=quoting(spread_model=model, refresh_delay_ms=0)
    )
    bench = EngineBench(spec)
    bench.bring_up()
    bench.turn()
    return bench


def fill_best(bench: EngineBench, side: Side = Side.BUY) -> None:
    best = next(i for i, o in bench.open.items() if o is bench.best(side))
    bench.fill(best)
    del bench.open[best]


def later(bench: EngineBench, seconds: int) -> None:
    """The market stands still and says so once a second."""
    for _ in range(seconds):
        bench.pass_time(1_000)
        bench.shift(0)
        bench.tick()
        bench.turn()


def multipliers(bench: EngineBench) -> tuple[float, float]:
    quote = bench.maker.quoter.quote
    return float(quote["size_multiplier"][0]), float(quote["spread_multiplier"][0])


@pytest.mark.parametrize("model", ["glft", "fixed"])
def test_an_adverse_fill_makes_the_next_quotes_smaller(model):
    """At once, with the fill; spreads widen where the model knows no impact; both fade."""
    bench = bench_of(model=model)
    assert multipliers(bench) == (1.0, 1.0)
    before = bench.best(Side.SELL).qty_lots
    fill_best(bench)
    # Confidence of a whole order over a limit of half is 1: the full answer.
    assert multipliers(bench) == (pytest.approx(0.7), 1.0 if model == "glft" else 1.5)
    bench.turn()
    assert bench.best(Side.SELL).qty_lots < before
    later(bench, 120)
    size, spread = multipliers(bench)
    assert size == pytest.approx(0.85, abs=0.016)
    assert spread == pytest.approx(1.0 if model == "glft" else 1.25, abs=0.026)


def test_measured_impact_reaches_the_model():
    """The mid falls after what we bought: from the next second on bids and asks stand further apart."""
    bench = bench_of()
    for _ in range(12):
        fill_best(bench)
        later(bench, 1)
    bench.shift(-20)
    bench.turn()
    bench.pass_time(31_000)
    bench.shift(0)
    bench.tick()
    quote, watch = bench.maker.quoter.quote, bench.maker.adverse.selection
    assert watch is not None
    assert watch.impact_ticks > 1.0
    assert quote["impact"][0] == pytest.approx(watch.response.impact_ticks)
    assert quote["impact"][0] > 0.0
    bench.shift(-2_000)  # far enough that the quoter starts from a new scale
    bench.turn()
    assert quote["impact"][0] == pytest.approx(watch.response.impact_ticks)


def test_flattening_is_nobodys_prey():
    """Our own taking is not judged."""
    bench = bench_of()
    fill_best(bench)
    bench.event(OperatorCommand(bench.now_ns, OperatorAction.FLATTEN, "test"))
    bench.turn()
    bench.pass_time(2_000)
    bench.shift(0)
    bench.turn()
    taking = next(iter(bench.open))
    bench.fill(taking, maker=False)
    watch = bench.maker.adverse.selection
    assert watch is not None
    assert watch.record["staged"][0].tolist() == [1, 0, 0]


def test_without_the_setting_there_is_no_watch():
    """As in sessions of before."""
    bench = EngineBench(session_spec())
    bench.bring_up()
    bench.turn()
    fill_best(bench)
    assert bench.maker.adverse.selection is None
    assert multipliers(bench) == (1.0, 1.0)


def test_the_same_events_give_the_same_record():
    """Two engines, bit for bit."""
    records = []
    for _ in range(2):
        bench = bench_of()
        for k in range(20):
            fill_best(bench, Side(k % 2))
            later(bench, 5)
        watch = bench.maker.adverse.selection
        assert watch is not None
        records.append(
            (watch.record.tobytes(), watch.history.tobytes(), watch.impact.record.tobytes())
        )
    assert records[0] == records[1]
