"""What fills cost: from real judgements, shrunk without data, capped, and forgotten fill by fill."""

import pytest

from mmd.core.flow.markout import HORIZONS_NS, Markouts
from mmd.core.quoting.fill_costs import (
    COST_BPS_MAX,
    COST_BPS_PRIOR,
    HALF_LIFE_FILLS,
    HORIZON,
    PRIOR_FILLS,
    FillCosts,
)
from mmd.core.units import Side

WAIT_NS = HORIZONS_NS[HORIZON]
PER_BPS = 2.0


class Fills:
    """Fills and the mids after them."""

    def __init__(self) -> None:
        self.markouts = Markouts()
        self.costs = FillCosts(self.markouts.record)
        self.now_ns = 1

    def fill(self, moved_ticks: int, *, side: Side = Side.BUY, edge_ticks: int = 1) -> None:
        """Buy (or sell) edge_ticks inside the mid; it then moves in our favour by moved_ticks."""
        mid_half = 20_000
        sign = side.sign
        price = mid_half // 2 - sign * edge_ticks
        self.markouts.on_mid(mid_half, self.now_ns)
        self.markouts.on_fill(side, price, 10, mid_half, self.now_ns)
        self.markouts.on_mid(mid_half + 2 * sign * moved_ticks, self.now_ns + 1)
        self.now_ns += WAIT_NS + 2
        self.markouts.on_time(self.now_ns)
        self.costs.update()


def test_without_data_the_cost_is_the_prior() -> None:
    """10 bps, and no fill has lost."""
    costs = Fills().costs
    costs.update()
    assert costs.adverse_ticks(PER_BPS) == COST_BPS_PRIOR * PER_BPS
    assert costs.adverse_ratio == 0.0


def test_nothing_is_known_before_the_horizon() -> None:
    """A fill counts once it has been judged, not when it happens."""
    fills = Fills()
    fills.markouts.on_fill(Side.BUY, 9_999, 10, 20_000, 1)
    fills.markouts.on_time(WAIT_NS)
    fills.costs.update()
    assert fills.costs.fills == 0.0
    fills.markouts.on_time(WAIT_NS + 1)
    fills.costs.update()
    assert fills.costs.fills == 1.0


@pytest.mark.parametrize("side", list(Side))
def test_a_steady_cost_is_found(side: Side) -> None:
    """The mid falls 8 ticks after each buy, or rises after each sale: 4 bps at two ticks a basis point."""
    fills = Fills()
    for _ in range(600):
        fills.fill(-8, side=side)
    weight = fills.costs.fills
    expected = (PRIOR_FILLS * 20.0 + weight * 8.0) / (PRIOR_FILLS + weight)
    assert fills.costs.adverse_ticks(PER_BPS) == pytest.approx(expected)
    assert expected == pytest.approx(8.0, abs=1.0)
    assert fills.costs.adverse_ratio == pytest.approx(weight / (weight + PRIOR_FILLS), rel=0.01)


def test_a_fill_that_kept_part_of_its_edge_has_not_lost() -> None:
    """The mid moves against us by less than the edge: a cost, but no loss."""
    fills = Fills()
    for _ in range(50):
        fills.fill(-3, edge_ticks=5)
    assert fills.costs.adverse_ratio == 0.0
    assert fills.costs.adverse_ticks(1e-9) > 0.0


def test_cost_is_between_nothing_and_its_cap() -> None:
    """Favourable moves are no negative cost; a jump does not shut quoting off for good."""
    lucky, jumped = Fills(), Fills()
    for _ in range(200):
        lucky.fill(50)
        jumped.fill(-5_000)
    assert lucky.costs.adverse_ticks(PER_BPS) == 0.0
    assert jumped.costs.adverse_ticks(PER_BPS) == COST_BPS_MAX * PER_BPS


def test_later_fills_push_earlier_ones_out() -> None:
    """A half-life of good fills halves what bad ones weigh."""
    fills = Fills()
    fills.fill(-8)
    before = fills.costs.adverse_ratio * (fills.costs.fills + PRIOR_FILLS)
    for _ in range(int(HALF_LIFE_FILLS)):
        fills.fill(8)
    after = fills.costs.adverse_ratio * (fills.costs.fills + PRIOR_FILLS)
    assert (before, after) == (1.0, pytest.approx(0.5))
