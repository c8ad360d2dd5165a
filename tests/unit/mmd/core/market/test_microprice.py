"""The microprice's properties: antisymmetry, convergence, martingale; and what is used where it is unknown."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.market import microprice as kernels
from mmd.core.market.microprice import (
    BUCKETS,
    MICROPRICE,
    MID,
    SPREADS,
    STATES,
    TERMS,
    TOUCH,
    TRUST_HALF,
    WEIGHTED_MID,
)
from mmd.jit.kernel import Rec, bind, new

Quotes = npt.NDArray[np.int64]
on_touch = bind(kernels.on_touch, new(TOUCH), 1, 2, 1, 1)
solve = bind(kernels.solve, new(TOUCH), 0.0, 1.0)
forget = bind(kernels.forget, new(TOUCH))


def _touch(source: int = MICROPRICE) -> Rec:
    touch = new(TOUCH)
    touch["source"] = source
    return touch


def simulate(seed: int, n: int) -> Quotes:
    """Quotes whose mid tends to move the way the imbalance points, with spreads of one and two ticks."""
    rng = np.random.default_rng(seed)
    bid, ask, rows = 1000, 1001, np.empty((n, 4), np.int64)
    sizes = [5, 5]
    draws, lots = rng.random((n, 2)), rng.integers(1, 10, (n, 2))
    for k in range(n):
        rows[k] = bid, ask, *sizes
        imbalance = sizes[0] / sum(sizes)
        event, way = draws[k]
        up = way < imbalance
        if ask - bid == 1 and event < 0.15:  # one side is eaten up
            bid, ask = (bid, ask + 1) if up else (bid - 1, ask)
            sizes[1 if up else 0] = int(lots[k, 0])
        elif ask - bid == 2 and event < 0.5:  # the gap is filled
            bid, ask = (bid + 1, ask) if up else (bid, ask - 1)
            sizes[0 if up else 1] = int(lots[k, 0])
        else:
            sizes[int(way < 0.5)] = int(lots[k, 1])
    return rows


def learn(quotes: Quotes) -> Rec:
    """The record after all of them, with its table made."""
    touch = _touch()
    for row in quotes.tolist():
        on_touch(touch, *row)
    solve(touch, 0.0, 1.0)
    return touch


@pytest.fixture(scope="module")
def quotes() -> Quotes:
    """A long simulated session."""
    return simulate(1, 200_000)


@pytest.fixture(scope="module")
def learned(quotes) -> Rec:
    """What was learned from it."""
    return learn(quotes)


def _states(quotes: Quotes) -> tuple[Quotes, Quotes]:
    """Full states, imbalance from all ask to all bid, and twice the mid; equal sizes have a state of their own."""
    bid, ask, bid_lots, ask_lots = quotes.T
    smaller = np.minimum(bid_lots, ask_lots)
    away = BUCKETS - np.minimum(smaller * 2 * BUCKETS // (bid_lots + ask_lots), BUCKETS - 1)
    signed = BUCKETS + np.sign(bid_lots - ask_lots) * away
    return signed * SPREADS + ask - bid - 1, bid + ask


def reference(quotes: Quotes, terms: int = TERMS) -> npt.NDArray[np.float64]:
    """Stoikov's definition on all states of both sides, with dense inverses; shape (2*BUCKETS + 1, SPREADS)."""
    n = (2 * BUCKETS + 1) * SPREADS
    state, mid2 = _states(quotes)
    at, to, change = state[:-1], state[1:], 0.5 * np.diff(mid2)
    stay, move = np.zeros((n, n)), np.zeros((n, n))
    np.add.at(stay, (at[change == 0], to[change == 0]), 1.0)
    np.add.at(move, (at[change != 0], to[change != 0]), 1.0)
    drift = np.bincount(at, weights=change, minlength=n)
    mirror = np.arange(n).reshape(-1, SPREADS)[::-1].ravel()
    stay, move = stay + stay[np.ix_(mirror, mirror)], move + move[np.ix_(mirror, mirror)]
    drift = drift - drift[mirror]
    per = np.maximum(stay.sum(axis=1) + move.sum(axis=1), 1.0)
    inverse = np.linalg.inv(np.eye(n) - (1.0 - 1e-9) * stay / per[:, None])
    first, step = inverse @ (drift / per), inverse @ (move / per[:, None])
    total = sum(np.linalg.matrix_power(step, i) @ first for i in range(terms))
    return np.asarray(total).reshape(-1, SPREADS)


def test_half_of_the_states_gives_what_all_of_them_give(quotes, learned) -> None:
    """Counting transitions by sign and solving 20 equations is the definition with 44 states."""
    full = reference(quotes)
    assert full == pytest.approx(-full[::-1], abs=1e-12)
    half = learned["adjust"].reshape(BUCKETS, SPREADS)
    assert half == pytest.approx(full[BUCKETS + 1 :], abs=1e-9)
    seen = half[:-1, 0]  # no side of the simulation is ever larger than nine to one
    assert np.all(np.diff(seen) > 0)
    assert 0.05 < seen[-1] < 1.0
    assert half[-1, 0] == 0.0


def test_six_terms_have_converged(quotes, learned) -> None:
    """Fifty-four more change less than a hundredth of a tick."""
    half = learned["adjust"].reshape(BUCKETS, SPREADS)
    assert half == pytest.approx(reference(quotes, 60)[BUCKETS + 1 :], abs=0.01)


@pytest.mark.parametrize("horizon", [5, 20])
def test_microprice_is_a_martingale_where_the_mid_is_not(learned, horizon) -> None:
    """In a new session the adjustment foretells the mid's change one to one, and the microprice's not."""
    fresh = simulate(2, 400_000)[::horizon]  # changes that do not overlap
    touch = learned.copy()
    price = np.array([on_touch(touch, *row) for row in fresh.tolist()])
    mid = 0.5 * (fresh[:, 0] + fresh[:, 1])
    known = (price - mid)[:-1]

    def slope_on_adjustment(change: npt.NDArray[np.float64]) -> tuple[float, float]:
        slope = float(known @ change / (known @ known))
        return slope, float(np.std(change - slope * known) / np.sqrt(known @ known))

    slope, error = slope_on_adjustment(np.diff(price))
    assert error < 0.1
    assert abs(slope) < 3.5 * error
    slope, error = slope_on_adjustment(np.diff(mid))
    assert slope == pytest.approx(1.0, abs=3.5 * error)


@given(bid_lots=st.integers(1, 10**6), ask_lots=st.integers(1, 10**6), spread=st.integers(1, 6))
def test_swapping_the_sides_mirrors_the_price(learned, bid_lots, ask_lots, spread) -> None:
    """Also for equal sizes, inside the table and outside; never beyond the quotes."""
    mid = 1000 + spread / 2
    up = on_touch(learned.copy(), 1000, 1000 + spread, bid_lots, ask_lots)
    down = on_touch(learned.copy(), 1000, 1000 + spread, ask_lots, bid_lots)
    assert up - mid == pytest.approx(mid - down, abs=1e-9)
    assert 1000 <= up <= 1000 + spread


def test_swapping_the_sides_of_a_session_changes_nothing(quotes) -> None:
    """Every transition counts as its mirror image does."""
    bid, ask, bid_lots, ask_lots = quotes[:5_000].T
    mirrored = np.column_stack([3_000 - ask, 3_000 - bid, ask_lots, bid_lots])
    one, other = learn(quotes[:5_000]), learn(mirrored)
    assert one["adjust"].tolist() == other["adjust"].tolist()
    assert one["seen"].tolist() == other["seen"].tolist()


def test_a_touch_that_stays_is_no_transition() -> None:
    """How often the same touch is reported does not matter."""
    rows = simulate(3, 2_000)
    assert learn(np.repeat(rows, 3, axis=0)).tobytes() == learn(rows).tobytes()


def test_trust_grows_with_what_was_seen() -> None:
    """Without counts the price is the size-weighted mid; TRUST_HALF transitions make it half the table's."""
    touch = _touch()
    assert on_touch(touch, 100, 101, 3, 1) == 100.75
    state = int(touch["state"][0])
    touch["adjust"][0, state], touch["seen"][0, state] = 0.45, TRUST_HALF
    touch["drift"][0, state] = 0.45 * TRUST_HALF
    solve(touch, 0.0, 1.0)
    assert touch["trust"][0, state] == 0.5
    assert on_touch(touch, 100, 101, 3, 1) == pytest.approx(100.5 + 0.5 * 0.45 + 0.5 * 0.25)


def test_counts_are_forgotten_table_stays() -> None:
    """In two half-lives every count falls to a quarter."""
    touch = learn(simulate(4, 3_000))
    before = touch.copy()
    solve(touch, 20.0, 10.0)
    assert touch["adjust"].tolist() == before["adjust"].tolist()
    for name in ("seen", "drift", "stay", "move"):
        assert touch[name] == pytest.approx(0.25 * before[name])
    solve(touch, 0.0, 1.0)
    assert touch["adjust"] == pytest.approx(before["adjust"], abs=1e-9)


def test_an_empty_table_can_be_solved() -> None:
    """Nothing was seen: no adjustment, no trust."""
    touch = _touch()
    solve(touch, 10.0, 10.0)
    assert touch["adjust"].tolist() == touch["trust"].tolist() == [[0.0] * STATES]


def test_a_state_that_never_leaves_is_regular() -> None:
    """The mid has not moved yet: the leak keeps the system solvable."""
    touch = _touch()
    for lots in itertools.islice(itertools.cycle([(9, 1), (8, 1)]), 500):
        on_touch(touch, 100, 101, *lots)
        on_touch(touch, 100, 101, 3, 2)
    solve(touch, 0.0, 1.0)
    assert np.all(np.isfinite(touch["adjust"]))
    assert touch["adjust"].max() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("way", ["forget", "crossed"])
def test_a_broken_path_counts_no_transition(way) -> None:
    """After the book was lost or crossed the next touch is a beginning."""
    touch = _touch()
    on_touch(touch, 100, 101, 3, 1)
    if way == "forget":
        forget(touch)
    else:
        assert on_touch(touch, 104, 100, 3, 1) == 102.0
    on_touch(touch, 1000, 1001, 3, 1)
    assert touch["seen"].sum() == 0.0


def test_a_wide_spread_ends_a_path_and_its_move_counts() -> None:
    """The mid's move into it is drift, and nothing is expected from there on."""
    touch = _touch()
    on_touch(touch, 100, 101, 3, 1)
    state = int(touch["state"][0])
    assert on_touch(touch, 100, 101 + SPREADS, 3, 1) == pytest.approx(100 + (1 + SPREADS) * 3 / 4)
    assert touch["seen"][0, state] == 1.0
    assert touch["drift"][0, state] == SPREADS / 2
    assert touch["move"].sum() == touch["stay"].sum() == 0.0
    on_touch(touch, 100, 101, 3, 1)
    assert touch["seen"].sum() == 1.0


def test_a_jump_counts_as_the_widest_spread() -> None:
    """One piece of news does not outweigh a day of imbalances."""
    touch = _touch()
    on_touch(touch, 100, 101, 1, 3)
    state = int(touch["state"][0])
    on_touch(touch, 10_000, 10_001, 1, 3)
    assert touch["drift"][0, state] == -SPREADS


@pytest.mark.parametrize(("source", "price"), [(MID, 100.5), (WEIGHTED_MID, 100.75)])
def test_other_sources_count_nothing(source, price) -> None:
    """Mid and size-weighted mid are what they are, and cost no more."""
    touch = _touch(source)
    for row in simulate(5, 100).tolist():
        on_touch(touch, *row)
    assert on_touch(touch, 100, 101, 3, 1) == price
    assert touch["seen"].sum() == 0.0
    assert touch["mid_half_ticks"][0] == 201


def test_the_table_cannot_push_the_price_through_a_quote(learned) -> None:
    """Whatever was learned."""
    touch = learned.copy()
    touch["adjust"], touch["trust"] = 9.0, 1.0
    assert on_touch(touch, 100, 101, 9, 1) == 101.0
    assert on_touch(touch, 100, 101, 1, 9) == 100.0
    assert math.isfinite(on_touch(touch, 100, 101, 1, 1))
