"""Calibration finds the parameters of markets that were generated from known ones."""

import numpy as np
import pytest

from mmd.calibration.calibrate import Calibrated, calibrate
from mmd.calibration.generated_rows import generate_rows, preset_instrument
from mmd.errors import TapeError
from mmd.exchange.presets import FlowPreset
from tests.generated_markets import CANCELS, LIMITS, WIDE_LIMITS, table_preset

KNOWN = table_preset(excitation_across=0.25, price=100.0)


def _calibrated(preset: FlowPreset, seed: int, span_s: float) -> Calibrated:
    rows = list(generate_rows(preset, seed, span_s, diff_period_ns=5_000_000, warm_up_s=5.0))
    return calibrate(lambda: iter(rows), preset_instrument(preset), about="known", command="none")


@pytest.fixture(scope="module")
def found() -> Calibrated:
    """Four minutes, published every 5 ms so that hardly anything is netted away."""
    return _calibrated(KNOWN, 12, 240.0)


def test_market_orders_come_back(found: Calibrated) -> None:
    """Rate, branching, its share across sides and the decay of the excitation."""
    hawkes = found.hawkes
    chance_share = 1.0 - found.information.phi
    assert found.preset.market_rate_total / chance_share == pytest.approx(
        KNOWN.market_rate_total, rel=0.25
    )
    assert hawkes.branching == pytest.approx(KNOWN.excitation / KNOWN.decay, abs=0.15)
    assert hawkes.across / hawkes.branching == pytest.approx(KNOWN.excitation_across, abs=0.15)
    assert 3.0 < hawkes.decay < 20.0


def test_intensities_come_back(found: Calibrated) -> None:
    """Limit orders and cancels by distance, in the state that the market is in most of the time."""
    tables = found.preset.tables
    assert tables is not None
    assert tables.distance_edges[:4] == (0, 1, 2, 3)
    limits, cancels = (np.array(t)[0] for t in (tables.limit_rates, tables.cancel_rates))
    assert limits[2, 1:3] == pytest.approx(LIMITS[1:3], rel=0.35)
    assert cancels[2, 1:3] == pytest.approx(CANCELS[1:3], rel=0.45)
    assert limits[0, 0] > 1.3 * limits[4, 0]


def test_speed_of_a_wide_spread_comes_back(found: Calibrated) -> None:
    """Limit orders at the touch are faster by an order of magnitude where the spread is wide."""
    tables = found.preset.tables
    assert tables is not None
    usual, wide = tables.limit_rates[0][2][0], tables.limit_rates[1][2][0]
    assert wide > 5.0 * usual
    assert wide == pytest.approx(WIDE_LIMITS, rel=0.6)


def test_imbalance_weights_of_market_orders_come_back(found: Calibrated) -> None:
    """More market orders on the side with the larger queue."""
    tables = found.preset.tables
    assert tables is not None
    weights = tables.market_weights[0]
    assert weights[4] > weights[2] > weights[0]
    assert weights[4] / weights[0] == pytest.approx(3.0, rel=0.5)


def test_sizes_come_back(found: Calibrated) -> None:
    """Market orders are between 5 and 95 lots, evenly."""
    tables = found.preset.tables
    assert tables is not None
    middle = tables.market_lots[8]
    assert middle == pytest.approx(50.0, abs=8.0)
    assert tables.limit_lots[1][8] == pytest.approx(50.0, abs=8.0)


def test_volatility_comes_back(found: Calibrated) -> None:
    """Of the mid, which follows a price with 0.3 bps, 0.3 ticks, per root second; touch noise adds a little."""
    assert found.diffusion.sigma_ticks == pytest.approx(0.3, abs=0.12)


def test_information_comes_back() -> None:
    """phi J is the response to market orders, and v the speed of its release."""
    known = table_preset(
        informed_share=0.4, attention_rate=0.0, informed_fee=0.0, news_jump_ticks=4.0,
        news_release=0.8, sigma_bps=0.1, excitation=0.0, far_ticks=20,
    )  # fmt: skip
    information = _calibrated(known, 4, 200.0).information
    assert information.phi * information.jump_ticks == pytest.approx(1.6, rel=0.35)
    assert information.release > 0.5


def test_a_preset_made_from_a_generated_market_makes_a_like_market(found: Calibrated) -> None:
    """Spread, best sizes and order rate of the second generation are those of the first."""
    again = _calibrated(found.preset, 5, 120.0).observed
    first = found.observed
    for value in (_mean_spread, _mean_lots, _order_rate):
        assert value(again) == pytest.approx(value(first), rel=0.35)


def test_too_short_a_tape_is_refused() -> None:
    """With what was expected and found."""
    with pytest.raises(TapeError, match="expected at least 50 market orders"):
        _calibrated(KNOWN, 1, 5.0)


def _mean_spread(seen: object) -> float:
    q = seen.quotes  # type: ignore[attr-defined]
    return float(((q.ask - q.bid) * q.held_s).sum() / q.held_s.sum())


def _mean_lots(seen: object) -> float:
    q = seen.quotes  # type: ignore[attr-defined]
    return float((q.bid_lots * q.held_s).sum() / q.held_s.sum())


def _order_rate(seen: object) -> float:
    return len(seen.orders.ts_ns) / seen.span_s  # type: ignore[attr-defined]
