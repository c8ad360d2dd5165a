"""Each stress preset does what its name says, beside the default market of the same seed."""

from typing import NamedTuple

import numpy as np
import pytest

from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.executions import PublicTrade
from mmd.exchange.presets import DEFAULT, FlowPreset
from mmd.exchange.stress_presets import CRASH_EVERY_S, STRESS
from tests.generated_markets import flow_of

STEPS_PER_S = 10


class Path(NamedTuple):
    """A market looked at ten times a second."""

    mid: np.ndarray
    spread: np.ndarray
    touch_lots: np.ndarray
    silent: np.ndarray
    latent: np.ndarray
    buys: int
    sells: int


def _path(preset: FlowPreset, span_s: int, seed: int = 7) -> Path:
    exchange, flow = flow_of(preset, seed)
    bids, asks = exchange.markets[0].book.sides
    rows, sides = [], [0, 0]
    for step in range(1, span_s * STEPS_PER_S):
        for event in flow.advance(step * NANOS_PER_SECOND // STEPS_PER_S):
            if isinstance(event, PublicTrade):
                sides[event.aggressor] += 1
        bid, ask = bids.best, asks.best
        assert bid is not None
        assert ask is not None
        assert bid < ask
        lots = bids.displayed(bid) + asks.displayed(ask)
        rows.append(((bid + ask) / 2, ask - bid, lots, flow.is_feed_silent, flow.latent_ticks))
    return Path(*np.array(rows, float).T, *sides)


@pytest.fixture(scope="module")
def calm() -> Path:
    """The default market."""
    return _path(DEFAULT, 150)


def _between(values: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    return values[int(start_s * STEPS_PER_S) : int(end_s * STEPS_PER_S)]


@pytest.mark.parametrize("name", sorted(STRESS))
def test_scenes_are_deterministic(name: str) -> None:
    """The same seed gives the same path, another seed another one."""
    first, again, other = (_path(STRESS[name], 10, seed).mid for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


def test_high_volatility_is_high(calm: Path) -> None:
    """At least four times the default's volatility from the first minute on."""
    wild = _path(STRESS["high_volatility"], 150)
    moves = [np.diff(_between(p.mid, 70, 150)[::STEPS_PER_S]).std() for p in (wild, calm)]
    assert moves[0] > 4.0 * moves[1]


def test_low_liquidity_is_thin_and_wide(calm: Path) -> None:
    """Less than a third of the lots at the touch, and a spread at least half as wide again."""
    thin = _path(STRESS["low_liquidity"], 100)
    assert _between(thin.touch_lots, 10, 100).mean() < _between(calm.touch_lots, 10, 100).mean() / 3
    assert _between(thin.spread, 10, 100).mean() > 1.5 * _between(calm.spread, 10, 100).mean()


def test_one_sided_flow_sells_and_falls(calm: Path) -> None:
    """Four of five trades sell, and the price ends lower than the default's."""
    falling = _path(STRESS["one_sided"], 300)
    early = _path(STRESS["one_sided"], 60)
    buys, sells = falling.buys - early.buys, falling.sells - early.sells
    assert sells > 4 * buys
    assert falling.mid[-1] < falling.mid[600] - 20
    assert calm.sells < 2 * calm.buys


def test_flash_crash_falls_by_eight_percent_and_comes_back() -> None:
    """Within 10 s of its start, mostly regained a minute later; the market trades through all of it."""
    crash = _path(STRESS["flash_crash"], int(CRASH_EVERY_S))
    before = crash.mid[599]
    assert _between(crash.mid, 66, 78).min() < 0.94 * before
    assert 0.95 * before < crash.mid[-1] < 1.01 * before
    assert np.diff(crash.mid[:600]).min() > -20


def test_news_jumps_at_once_for_some_and_later_for_all() -> None:
    """The efficient price jumps by 1 %, the mid starts to follow, and is there within 20 s."""
    news = _path(STRESS["news_jump"], 90)
    assert news.latent[601] - news.latent[598] == pytest.approx(-0.01 * news.latent[598], rel=0.05)
    assert news.mid[602] > news.latent[602] + 20
    assert abs(news.mid[850] - news.latent[850]) < 10


def test_feed_outage_is_silent_while_the_market_moves_on() -> None:
    """From 60 to 75 s nothing is to be published, and the book changes all the same."""
    outage = _path(STRESS["feed_outage"], 90)
    assert not _between(outage.silent, 0, 59.8).any()
    assert _between(outage.silent, 60.2, 74.8).all()
    assert not _between(outage.silent, 75.2, 90).any()
    assert len(np.unique(_between(outage.mid, 60.2, 74.8))) > 5
