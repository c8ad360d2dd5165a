"""Queue models against cases worked by hand, and the order in which they stand."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.units import Side
from mmd.errors import ConfigError
from mmd.exchange.fills.queue_models import probability
from mmd.exchange.fills.record import LOG, LOG_2, POWER, POWER_2, POWER_3, queue_model
from tests.fill_bench import FillBench

BIDS, ASKS = {100: 50, 99: 80}, {102: 40, 103: 60}


def resting(model: str, exponent: float = 1.0) -> FillBench:
    """An order of 10 lots behind 50 at 100."""
    bench = FillBench(model, exponent=exponent)
    bench.snapshot(BIDS, ASKS)
    bench.place(Side.BUY, 100, 10)
    return bench


@pytest.mark.parametrize("model", ["risk_averse", "power", "power2", "power3", "log", "log2"])
def test_an_order_joins_behind_what_is_displayed(model: str) -> None:
    """All models but front start at the back."""
    assert resting(model).ahead(1) == 50.0


def test_front_has_nobody_ahead() -> None:
    """The best case is filled by the first print."""
    bench = resting("front")
    assert [f.qty_lots for f in bench.trade(Side.SELL, 100, 4)] == [4]


def test_trades_advance_a_risk_averse_order_and_withdrawals_do_not() -> None:
    """50 ahead: 20 trade, the book follows, 10 more are withdrawn from somewhere: 30 stay ahead until fewer are left."""
    bench = resting("risk_averse")
    assert bench.trade(Side.SELL, 100, 20) == []
    assert bench.ahead(1) == 30.0
    bench.diff({100: 60})  # 30 of the old ones and 30 that came behind us
    bench.diff({100: 40})
    assert bench.ahead(1) == 30.0
    bench.diff({100: 25})
    assert bench.ahead(1) == 25.0


def test_a_trade_is_not_counted_again_when_the_book_follows() -> None:
    """A probabilistic model subtracts what traded from the change of the level."""
    bench = resting("power")
    bench.trade(Side.SELL, 100, 20)
    bench.diff({100: 30})
    assert bench.ahead(1) == 30.0


def test_a_withdrawal_is_split_by_probability() -> None:
    """n = 1: 50 ahead and 50 behind, so half of the 20 that went were ahead."""
    bench = resting("power", 1.0)
    bench.diff({100: 100})
    bench.diff({100: 80})
    assert bench.ahead(1) == pytest.approx(40.0)


def test_a_higher_power_takes_more_from_the_longer_part() -> None:
    """n = 3, 50 ahead and 150 behind: p = 150**3 / (150**3 + 50**3) = 27/28."""
    bench = resting("power", 3.0)
    bench.diff({100: 200})
    bench.diff({100: 172})
    assert bench.ahead(1) == pytest.approx(50.0 - 28.0 / 28.0)


def test_what_cannot_have_been_behind_was_ahead() -> None:
    """10 ahead, 50 behind and 55 withdrawn: the probable 54.6 are not behind, so only 5 stay ahead."""
    bench = FillBench("power")
    bench.snapshot({100: 10}, ASKS)
    bench.place(Side.BUY, 100, 10)
    bench.diff({100: 60})
    bench.diff({100: 5})
    assert bench.ahead(1) == pytest.approx(5.0)


def test_an_order_alone_at_its_price_is_first() -> None:
    """Nobody there: the first print is ours, and what comes later stands behind."""
    bench = FillBench("risk_averse")
    bench.snapshot(BIDS, ASKS)
    bench.place(Side.BUY, 101, 10)
    bench.diff({101: 30})
    assert [f.qty_lots for f in bench.trade(Side.SELL, 101, 7)] == [7]


def test_probabilities_as_published() -> None:
    """Each form at front 30, back 10 (units of base)."""
    assert probability(POWER, 30.0, 10.0, 2.0) == pytest.approx(100 / (100 + 900))
    assert probability(POWER_2, 30.0, 10.0, 2.0) == pytest.approx(100 / 1600)
    assert probability(POWER_3, 30.0, 10.0, 2.0) == pytest.approx(1 - (30 / 40) ** 2)
    logs = math.log(11) / (math.log(11) + math.log(31))
    assert probability(LOG, 30.0, 10.0, 0.0) == pytest.approx(logs)
    assert probability(LOG_2, 30.0, 10.0, 0.0) == pytest.approx(math.log(11) / math.log(41))


@pytest.mark.parametrize("model", [POWER, POWER_2, POWER_3, LOG, LOG_2])
def test_nobody_to_withdraw_is_behind(model: int) -> None:
    """0/0 is defined."""
    assert probability(model, 0.0, 0.0, 3.0) == 1.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=25),
    st.sampled_from(["power", "power2", "power3", "log", "log2"]),
)
def test_every_model_lies_between_front_and_risk_averse(
    steps: list[tuple[bool, int]], model: str
) -> None:
    """Whatever trades, comes and goes: 0 <= probabilistic <= risk averse <= what is displayed."""
    careful, hopeful = FillBench("risk_averse"), FillBench(model)
    shown = 50
    for bench in (careful, hopeful):
        bench.snapshot(BIDS, ASKS)
        bench.place(Side.BUY, 100, 1_000)
    for is_trade, drawn in steps:
        lots = min(drawn, shown) if is_trade else drawn
        if is_trade:
            for bench in (careful, hopeful):
                bench.trade(Side.SELL, 100, lots)
            shown -= lots
        else:
            shown = lots
        for bench in (careful, hopeful):
            bench.diff({100: shown})
        assert 0.0 <= hopeful.ahead(1) <= careful.ahead(1) + 1e-9 <= shown + 1e-9


def test_an_unknown_model_is_named() -> None:
    """The message lists what there is."""
    with pytest.raises(ConfigError, match=r"risk_averse.*found 'pro_rata'"):
        queue_model("pro_rata")
