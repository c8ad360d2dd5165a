"""What models say moves quotes so fast and no faster; what is taken back is taken back at once."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.prediction import (
    HALF_BPS_MAX,
    HALF_BPS_MIN,
    PartStatus,
    new_prediction,
    publish,
)
from mmd.core.learned.rate_limit import within
from mmd.core.market.features import FEATURES
from mmd.core.quoting.fair_value import CLIP_SPREADS
from mmd.core.quoting.record import QUOTE
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import new

S = NANOS_PER_SECOND
MID_TICKS = 10_000.0
SPREAD_TICKS = 40.0
BOUND_TICKS = CLIP_SPREADS * SPREAD_TICKS
RATE_BPS = 20.0
RATE_TICKS = RATE_BPS * 1e-4 * MID_TICKS
LIMITED = ModelsSpec(
    enabled=True, uses_forecast=True, spread_weight=0.5,
    forecast_rate_bps=RATE_BPS, spread_rate_bps=RATE_BPS,
)  # fmt: skip


class World:
    """Models whose outputs are said here, and the quotes that are told."""

    def __init__(self, spec: ModelsSpec = LIMITED, quoted_ticks: float = 0.0) -> None:
        self.prediction, self.quote, self.features = new_prediction(spec), new(QUOTE), new(FEATURES)
        self.features["mid"] = MID_TICKS
        self.features["x"][0, 0] = SPREAD_TICKS
        self.quote["offset"] = quoted_ticks
        self.now_ns = S

    def say(
        self, elapsed_ns: int, forecast: float, half_bps: float = 0.0, spread: float = SPREAD_TICKS
    ) -> tuple[float, float]:
        """Some time later, models say this; what quotes are told then: ticks, and basis points. No half spread is 0."""
        self.now_ns += elapsed_ns
        p = self.prediction
        p["forecast_ticks"], p["half_spread_bps"] = forecast, half_bps
        p["price_status"] = PartStatus.OK
        p["spread_status"] = PartStatus.OK if half_bps > 0.0 else PartStatus.LATE
        self.features["x"][0, 0] = spread
        publish(p, self.quote, self.features, self.now_ns)
        told_bps = float(self.quote["learned_half"][0]) / MID_TICKS * 1e4
        assert told_bps == pytest.approx(float(p["half_told_bps"][0]))
        return float(self.quote["forecast"][0]), told_bps

    def withdraw(self, elapsed_ns: int = 0) -> None:
        """Neither may be used any more."""
        self.now_ns += elapsed_ns
        self.prediction["price_status"] = self.prediction["spread_status"] = PartStatus.DRIFTED
        publish(self.prediction, self.quote, self.features, self.now_ns)


_ELAPSED = st.sampled_from([0, 1, S // 100, S // 10, S // 3, S, 40 * S])
_SAID = st.tuples(
    _ELAPSED,
    st.floats(-1e3, 1e3),
    st.floats(HALF_BPS_MIN, HALF_BPS_MAX),
    st.sampled_from([SPREAD_TICKS, SPREAD_TICKS, 1.0, 400.0]),
)


@settings(deadline=None, max_examples=60)
@given(said=st.lists(_SAID, min_size=2, max_size=30))
def test_no_two_outputs_differ_by_more_than_rate_times_time(
    said: Sequence[tuple[int, float, float, float]],
) -> None:
    """Whatever is said and whenever: not beyond the rate, not beyond the clip, and never away from what is wanted."""
    world = World()
    shift, half = world.say(0, 0.0, 10.0)
    for elapsed_ns, forecast, half_bps, spread in said:
        bound = CLIP_SPREADS * spread
        before, half_before = within(shift, bound), half  # the clip itself may always move at once
        shift, half = world.say(elapsed_ns, forecast, half_bps, spread)
        step = elapsed_ns / S
        assert abs(shift - before) <= RATE_TICKS * step + 1e-9
        assert abs(half - half_before) <= RATE_BPS * step + 1e-9
        assert abs(shift) <= bound + 1e-12
        assert abs(within(forecast, bound) - shift) <= abs(within(forecast, bound) - before) + 1e-9
        assert abs(half_bps - half) <= abs(half_bps - half_before) + 1e-9


@pytest.mark.parametrize("bar_ns", [S // 10, S // 4, 3 * S])
def test_a_jump_is_followed_in_its_distance_over_the_rate(bar_ns: int) -> None:
    """From one end of the clip to the other, and from 10 to 60 bps: not a bar earlier and not one later."""
    world = World()
    world.say(0, -BOUND_TICKS, 10.0)
    world.say(100 * S, -BOUND_TICKS, 10.0)
    shifts, halves = 0, 0
    for _ in range(1_000):
        shift, half = world.say(bar_ns, 1e3, 60.0)
        shifts += shift < BOUND_TICKS - 1e-9
        halves += half < 60.0 - 1e-9
    assert shifts == math.ceil(2 * BOUND_TICKS / RATE_TICKS / (bar_ns / S)) - 1
    assert halves == math.ceil(50.0 / RATE_BPS / (bar_ns / S)) - 1
    assert int(world.prediction["forecasts_held"][0]) == shifts
    assert int(world.prediction["spreads_held"][0]) == halves


def test_what_may_not_be_used_is_taken_back_at_once_and_comes_back_slowly() -> None:
    """A forecast begins again at none, a half spread at the one that is quoted meanwhile."""
    world = World(quoted_ticks=25.0)
    world.say(0, 5.0, 60.0)
    world.say(100 * S, 5.0, 60.0)
    world.withdraw()
    assert world.quote["forecast"][0] == world.quote["learned_half"][0] == 0.0
    world.withdraw(10 * S)
    shift, half = world.say(S // 10, 5.0, 60.0)
    assert shift == pytest.approx(RATE_TICKS / 10)
    assert half == pytest.approx(25.0 + RATE_BPS / 10)


@pytest.mark.parametrize("quoted_ticks", [0.0, math.nan, math.inf, 1e5])
def test_a_half_spread_that_comes_before_any_quote_is_taken_as_it_is(quoted_ticks: float) -> None:
    """There is nothing that it could jump from."""
    assert World(quoted_ticks=quoted_ticks).say(S // 10, 0.0, 60.0)[1] == pytest.approx(60.0)


def test_without_a_market_spread_the_forecast_says_nothing() -> None:
    """A spread that is no number bounds nothing, and does not stay in what quotes are told."""
    world = World()
    assert world.say(S, 5.0, spread=math.nan)[0] == 0.0
    assert world.say(100 * S, 5.0)[0] == 5.0


def test_sessions_of_before_are_told_at_once() -> None:
    """Without rates quotes read what models say, as it is."""
    assert (ModelsSpec().forecast_rate_bps, ModelsSpec().spread_rate_bps) == (0.0, 0.0)
    world = World(ModelsSpec(enabled=True, uses_forecast=True, spread_weight=0.5))
    assert world.say(0, 123.0, 60.0) == (123.0, pytest.approx(60.0))
    assert world.say(0, -123.0, 10.0) == (-123.0, pytest.approx(10.0))
    assert int(world.prediction["forecasts_held"][0]) == 0
