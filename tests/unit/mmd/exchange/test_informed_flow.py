"""Informed traders: no adverse selection without them, -J (1 - (1 - v)^h) with them."""

import msgspec
import numpy as np
import pytest

from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.exchange.executions import PublicTrade
from mmd.exchange.flow_interactive import Kind
from mmd.exchange.presets import DEFAULT, FlowPreset
from tests.generated_markets import flow_of

SECOND = NANOS_PER_SECOND
STEP_NS = SECOND // 20
CHANCE = msgspec.structs.replace(
    DEFAULT, informed_share=0.0, imbalance_pull=0.0, market_lots=100.0, market_spread=0.5
)
NEWS = msgspec.structs.replace(
    CHANCE,
    sigma_bps=0.0,
    jump_rate=0.0,
    informed_share=0.25,
    attention_rate=0.0,
    news_jump_ticks=6.0,
    news_release=0.3,
    market_rate=1.0,
    excitation=0.0,
)


def _markouts(
    preset: FlowPreset, seed: int, span_s: int, lags: list[int], *, news: bool
) -> np.ndarray:
    """Maker's mid moves after trades (a row each) at lags in steps, from the mid before the trade."""
    exchange, flow = flow_of(preset, seed)
    book = exchange.markets[0].book
    mids, fills = [], []
    for step in range(1, span_s * 20):
        due_ns = step * STEP_NS
        while flow.next_ns < due_ns:
            informed, before = flow.accepted[Kind.NEWS], _mid(book)
            events = flow.step()
            is_news = flow.accepted[Kind.NEWS] > informed
            sides = {e.aggressor for e in events if isinstance(e, PublicTrade)}
            if sides and is_news == news:
                fills.append((step, sides.pop(), before))
        mids.append(_mid(book))
    kept = [(k, side, before) for k, side, before in fills if k + lags[-1] < len(mids)]
    return np.array(
        [[-side.sign * (mids[k + lag - 1] - before) for lag in lags] for k, side, before in kept]
    )


def _mid(book: object) -> float:
    bid, ask = book.best_bid, book.best_ask  # type: ignore[attr-defined]
    return (bid + ask) / 2


def test_without_informed_traders_there_is_no_adverse_selection() -> None:
    """phi = 0: the mean markout is zero within three standard errors, at 5 s and 20 s."""
    table = _markouts(CHANCE, 5, 600, [100, 400], news=False)
    assert len(table) > 800
    # Neighbouring fills share their future, so errors are of means over blocks of two minutes' worth.
    blocks = np.array([b.mean(axis=0) for b in np.array_split(table, 15)])
    error = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    assert (np.abs(blocks.mean(axis=0)) < 3.0 * error).all()
    assert (error < 0.8).all()


def test_informed_markout_follows_the_release_of_news() -> None:
    """phi > 0: h seconds after an informed trade its maker has lost J (1 - (1 - v)^h)."""
    seconds = np.array([1.0, 2.0, 4.0, 8.0])
    table = _markouts(NEWS, 11, 300, [int(20 * h) for h in seconds], news=True)
    assert len(table) > 50
    expected = -NEWS.news_jump_ticks * (1.0 - (1.0 - NEWS.news_release) ** seconds)
    error = table.std(axis=0, ddof=1) / np.sqrt(len(table))
    assert (np.abs(table.mean(axis=0) - expected) < 3.0 * error + 0.3).all()


def test_informed_traders_stay_away_where_news_does_not_pay() -> None:
    """|V - mid| must exceed half the spread plus the fee; V moves all the same."""
    preset = msgspec.structs.replace(NEWS, informed_fee=50.0, market_rate=0.5)
    _, flow = flow_of(preset, 3)
    start = flow.latent_ticks
    moved = []
    while flow.next_ns < 60 * SECOND:
        flow.step()
        moved.append(abs(flow.latent_ticks - start))
    assert flow.accepted[Kind.NEWS] == 0
    assert max(moved) >= 6.0


@pytest.mark.parametrize("side", list(Side))
def test_what_is_not_released_is_between_efficient_and_public_price(side: Side) -> None:
    """Right after news the public knows nothing, a second later the share v."""
    _, flow = flow_of(NEWS, 3)
    latent = flow._latent  # the two prices are the mechanism under test
    public = latent.public_ticks
    latent.tell(side.sign * 6.0)
    assert latent.public_ticks == pytest.approx(public)
    for _ in range(20):
        latent.step()
    assert latent.public_ticks == pytest.approx(public + side.sign * 6.0 * 0.3)
