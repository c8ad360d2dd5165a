"""The efficient price: its scale, and that only the seed moves it."""

import math

from mmd.exchange.latent_price import LatentPrice, lognormal_lots, normal
from mmd.exchange.presets import FlowPreset
from mmd.exchange.random_rows import RandomRows


def test_its_volatility_is_what_the_preset_says() -> None:
    """Standard deviation of 50 ms steps over 20,000 of them, against sigma * sqrt(dt)."""
    preset = FlowPreset(sigma_bps=1.0, jump_rate=0.0)
    price = LatentPrice(preset, RandomRows(3, 5, 4), 10_000.0)
    moves = []
    for _ in range(20_000):
        before = price.ticks
        price.step()
        moves.append(math.log(price.ticks / before))
    measured = math.sqrt(sum(m * m for m in moves) / len(moves))
    assert abs(measured / (1e-4 * math.sqrt(0.05)) - 1.0) < 0.02


def test_jumps_come_at_their_rate() -> None:
    """About one in twenty steps at one jump a second."""
    preset = FlowPreset(sigma_bps=0.0, jump_rate=1.0, jump_ticks=4.0)
    price = LatentPrice(preset, RandomRows(3, 5, 4), 10_000.0)
    jumps = 0
    for _ in range(10_000):
        before = price.ticks
        price.step()
        jumps += price.ticks != before
    assert 400 < jumps < 600


def test_sizes_are_lognormal_and_bounded() -> None:
    """The median is the median; the tail is cut; never less than one lot."""
    rows = RandomRows(1, 9, 2)
    sizes = sorted(lognormal_lots(100.0, 1.5, *rows.row(i)) for i in range(4001))
    assert 90 < sizes[2000] < 110
    assert sizes[0] >= 1
    assert sizes[-1] <= 10_000
    assert normal(0.0, 0.0) == 0.0


def test_a_lagging_price_is_the_leaders_of_before() -> None:
    """With a lag of three steps it says after step n what the leader said after step n - 3."""
    preset = FlowPreset(sigma_bps=1.0, jump_rate=0.5)
    leader = LatentPrice(preset, RandomRows(3, 5, 4), 10_000.0)
    follower = LatentPrice(preset, RandomRows(3, 5, 4), 10_000.0, lag_steps=3)
    path = [leader.ticks]
    for step in range(1, 200):
        leader.step()
        follower.step()
        path.append(leader.ticks)
        assert follower.ticks == path[max(0, step - 3)]
    assert len(set(path)) > 190
