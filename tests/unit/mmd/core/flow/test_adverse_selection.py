"""What must come out: who is flagged without informed traders, and with them; what the quotes are told; what it costs."""

import math
import time

import numpy as np
import pytest

from mmd.config_adverse import AdverseSection
from mmd.core.flow.adverse_tests import NAMES
from mmd.core.flow.response import Response
from mmd.core.units import Side
from tests.fill_world import MID_TICKS, PER_BPS, SECOND, FillWorld, News


def rates(world: FillWorld) -> dict[str, float]:
    """Share of fills that each test fired on, and that are adverse by their last verdict."""
    record = world.watch.record[0]
    fills = int(record["cell_fills"].sum())
    found = {name: int(n) / fills for name, n in zip(NAMES, record["fired"], strict=True)}
    return found | {"adverse": int(record["adverse"]) / fills, "fills": fills}


@pytest.mark.parametrize("fills_per_s", [0.02, 0.1, 1.0])
def test_without_informed_traders_at_most_one_fill_in_twenty_is_flagged(fills_per_s):
    """Mode z, our fills at random on a random walk, rare and dense: as a verdict, and by every test alone."""
    world = FillWorld(2, fills_per_s=fills_per_s)
    world.run(int(3_000 / fills_per_s))
    got = rates(world)
    assert got["fills"] > 2_500
    assert max(got[name] for name in (*NAMES, "adverse")) <= 0.05
    staged = world.watch.record[0]
    assert (staged["staged_adverse"] <= 0.05 * staged["staged"]).all(), "at every stage"


def test_plain_thresholds_mostly_measure_volatility():
    """At 50 % a year and no informed flow at all 2 and 5 bps fire on 34 and 41 % of fills."""
    world = FillWorld(4, AdverseSection(mode="threshold"), fills_per_s=0.02)
    world.run(100_000)
    got, sigma_bps = rates(world), world.sigma / PER_BPS
    expected = {
        name: 0.5 * math.erfc(limit / (sigma_bps * math.sqrt(2.0 * wait_s)))
        for name, limit, wait_s in (("immediate", 2.0, 30), ("delayed", 5.0, 600))
    }
    assert expected == {
        "immediate": pytest.approx(0.34, abs=0.005),
        "delayed": pytest.approx(0.41, abs=0.005),
    }
    # Fills share their futures: 3,300 independent spans of 30 s, 170 of 600 s.
    assert got["immediate"] == pytest.approx(expected["immediate"], abs=0.03)
    assert got["delayed"] == pytest.approx(expected["delayed"], abs=0.11)
    assert got["adverse"] > 0.1


@pytest.mark.parametrize(("jump", "least"), [(0.0, 0.0), (0.5, 0.1), (1.0, 0.6), (2.0, 0.95)])
def test_informed_flow_is_found_by_how_much_it_takes(jump, least):
    """The mid goes J (1 - (1 - v)^h) against every fill, J in standard deviations of 30 s; a fill in fifty seconds."""
    sigma_30s = FillWorld(0).sigma * math.sqrt(30.0)
    news = News(jump_ticks=jump * sigma_30s, release=0.1)
    world = FillWorld(5, fills_per_s=0.02, news=news)
    world.run(50_000)
    got = rates(world)
    assert got["adverse"] >= least
    if jump == 0.0:
        assert got["adverse"] <= 0.05
    lost = news.jump_ticks * (1.0 - (1.0 - news.release) ** 30)
    shrunk = lost * 200.0 / 220.0
    # Other fills' news is of either side; what is left of their noise is a tenth of a deviation.
    assert world.watch.impact_ticks == pytest.approx(shrunk, abs=0.15 * sigma_30s)


@pytest.mark.parametrize("model", ["glft", "fixed"])
def test_quotes_are_told_by_impact_or_by_spread_and_forget_with_the_half_life(model):
    """After the last adverse fill the answer is half as strong each half-life, in steps."""
    sigma_30s = FillWorld(0).sigma * math.sqrt(30.0)
    settings = AdverseSection(response_halflife_s=100.0)
    world = FillWorld(6, settings, fills_per_s=0.02, news=News(2.0 * sigma_30s), spread_model=model)
    world.run(8_000)
    while world.watch.level < 0.9:
        world.run(1)
    full = world.told[-1]
    assert full.size_multiplier < 0.75
    if model == "glft":
        assert full.spread_multiplier == 1.0
        assert full.impact_ticks > sigma_30s
    else:
        assert full.spread_multiplier > 1.4
        assert full.impact_ticks == 0.0
    level = world.watch.level
    world.watch.record["strength"][:] = (
        0.0  # judged harmless from here on, later stages add nothing
    )
    world.watch.record["given"][:] = 0.0
    world.watch.record["tests_min"], world.watch.record["confidence_limit"] = 6, 2.0
    for halvings in (1, 2, 3):
        for _ in range(100):
            world.step()
        assert world.watch.level == pytest.approx(level * 0.5**halvings, rel=1e-6)
    assert 1.0 - world.told[-1].size_multiplier == pytest.approx(0.3 * level / 8, abs=0.3 / 20)


def test_told_nothing_where_only_shown():
    """The level rises, quotes stay."""
    sigma_30s = FillWorld(0).sigma * math.sqrt(30.0)
    world = FillWorld(
        6, AdverseSection(responds=False), fills_per_s=0.02, news=News(2.0 * sigma_30s)
    )
    world.run(8_000)
    assert world.watch.record["adverse"][0] > 50
    assert world.told == []
    assert world.watch.response == Response()


def test_impact_is_capped_and_never_a_gain():
    """Ten basis points at most by default; a mid that runs our way has no impact."""
    world = FillWorld(1)
    world.watch.on_time(2 * MID_TICKS, PER_BPS, 10 * SECOND)
    world.watch.record["all_moved_weight"], world.watch.record["all_moved"] = 1_000.0, -1e9
    assert world.watch.impact_ticks == pytest.approx(10.0 * PER_BPS)
    world.watch.record["all_moved"] = 1e9
    assert world.watch.impact_ticks == 0.0


def test_time_without_a_price_changes_nothing():
    """And between whole seconds nothing is looked at."""
    world = FillWorld(1)
    before = world.watch.record.tobytes(), world.watch.history.tobytes()
    world.watch.on_time(0, PER_BPS, 10 * SECOND)
    assert (world.watch.record.tobytes(), world.watch.history.tobytes()) == before
    world.watch.on_time(200, PER_BPS, 10 * SECOND)
    world.watch.on_time(300, PER_BPS, 11 * SECOND - 1)
    assert world.watch.history["head"][0] == 1


def test_memory_does_not_grow_and_a_fill_takes_microseconds():
    """Ten thousand fills; the median is what is compared, for the machine may be busy."""
    world = FillWorld(8, fills_per_s=1.0)
    size = world.watch.record.nbytes + world.watch.history.nbytes
    world.run(5_000)
    assert world.watch.record.nbytes + world.watch.history.nbytes == size < 2**20
    told = world.watch.on_fill
    took: list[int] = []

    def timed(level, quoted_lots):
        began = time.perf_counter_ns()
        told(level, quoted_lots)
        took.append(time.perf_counter_ns() - began)

    world.watch.on_fill = timed  # type: ignore[method-assign]
    world.run(2_000)
    assert np.median(took) < 200_000
    assert np.quantile(took, 0.9) < 1_000_000


def test_sides_and_levels_are_kept_apart():
    """News only against the bids of level 1: its toxicity shows there."""
    world = FillWorld(
        9, AdverseSection(mode="threshold", tests_min=1, size_ratio_max=0.99), fills_per_s=0.0
    )
    for _ in range(60):
        world.fill(Side.BUY, level=1, share=0.5)
        world.price -= 100.0
        for _ in range(31):
            world.step()
        world.fill(Side.SELL, level=0, share=0.5)
        world.price -= 100.0
        for _ in range(31):
            world.step()
    record = world.watch.record[0]
    toxic = record["cell_adverse"] / np.maximum(record["cell_weight"], 1e-9)
    assert toxic[0, 1] > 0.95
    assert toxic[1, 0] < 0.5
    assert record["cell_moved"][0, 1] < 0.0 < record["cell_moved"][1, 0]
    assert record["cell_fills"].tolist()[0][:3] == [0, 60, 0]
