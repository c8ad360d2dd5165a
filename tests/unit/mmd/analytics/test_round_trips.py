"""First in, first out, net of fees."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.round_trips import round_trips, trip_stats
from mmd.analytics.session import read_session
from tests.unit.mmd.analytics.tracks import S, fill, sample, track

FILLS = st.lists(
    st.tuples(
        st.sampled_from([-1, 1]), st.integers(9_900, 10_100), st.integers(1, 50), st.integers(-9, 9)
    ),
    min_size=1,
    max_size=30,
)


def stats(trips):
    return trip_stats(trips, np.random.default_rng(1))


def test_by_hand() -> None:
    """Bought 10 at 100 and 10 at 101, sold 15 at 102: 10 of the first and 5 of the second."""
    trips = round_trips(
        track(
            [
                fill(1, 1, 10_000, 10, fee=0.01),
                fill(2, 1, 10_100, 10, fee=0.02),
                fill(4, -1, 10_200, 15, fee=0.03),
            ]
        )
    )
    assert trips["qty_lots"].tolist() == [10, 5]
    assert trips["opened_ns"].tolist() == [S, 2 * S]
    assert trips["closed_ns"].tolist() == [4 * S, 4 * S]
    assert trips["pnl"][0] == pytest.approx(10 * 0.001 * 2.0 - 0.01 - 0.02)
    assert trips["pnl"][1] == pytest.approx(5 * 0.001 * 1.0 - 0.01 - 0.01)
    assert trips["notional"].tolist() == pytest.approx([1.0, 0.505])


def test_a_fill_may_turn_the_position() -> None:
    """Sold 5, bought 8, sold 3: a short trip and a long one."""
    trips = round_trips(
        track([fill(1, -1, 10_000, 5), fill(2, 1, 9_990, 8), fill(3, -1, 9_980, 3)])
    )
    assert trips["sign"].tolist() == [-1, 1]
    assert trips["pnl"].tolist() == pytest.approx([5 * 0.001 * 0.1, -3 * 0.001 * 0.1])


def test_what_was_carried_in_opened_at_the_first_mid() -> None:
    """Short 4 lots at a mid of 100.00, bought back at 99.00."""
    trips = round_trips(track([fill(1, 1, 9_900, 4)], [sample(0, lots=-4)]))
    assert trips["pnl"].tolist() == pytest.approx([4 * 0.001 * 1.0])


def test_stats_by_hand() -> None:
    """Gains of 3 against losses of 2 hundredths."""
    trips = round_trips(
        track(
            [
                fill(0, 1, 10_000, 10),
                fill(2, -1, 10_300, 10),
                fill(3, 1, 10_000, 10),
                fill(7, -1, 9_800, 10),
            ]
        )
    )
    found = stats(trips)
    assert (found.count, found.win_rate, found.held_s_median) == (2, 0.5, 3.0)
    assert found.profit_factor == pytest.approx(1.5)
    assert found.profit_per_trade_bps.estimate == pytest.approx((300.0 - 200.0) / 2)


def test_nothing_closed() -> None:
    """No factor without a loss, nothing at all without a trip."""
    assert stats(round_trips(track([fill(0, 1, 10_000, 10)]))).profit_factor is None
    found = stats(round_trips(track([])))
    assert (found.count, found.win_rate, found.held_s_median) == (0, None, None)


@given(FILLS)
def test_trips_and_what_is_left_make_up_the_pnl(rows: list[tuple[int, int, int, int]]) -> None:
    """Closed trips, the open rest at the last price and its fees: cash and inventory, exactly."""
    fills = [
        fill(t, sign, price, lots, fee=fee / 1000)
        for t, (sign, price, lots, fee) in enumerate(rows)
    ]
    last = rows[-1][1]
    cash = sum(-sign * price * lots for sign, price, lots, _ in rows)
    held = sum(sign * lots for sign, _, lots, _ in rows)
    total = (cash + held * last) * 0.01 * 0.001 - sum(fee for *_, fee in rows) / 1000
    closing = [] if held == 0 else [fill(99, -int(np.sign(held)), last, abs(held))]
    trips = round_trips(track([*fills, *closing]))
    assert trips["pnl"].sum() == pytest.approx(total, abs=1e-9)
    assert 2 * trips["qty_lots"].sum() == sum(lots for _, _, lots, _ in rows) + abs(held)


def test_the_recorded_session_closes_what_it_can(recorded, session_folder: Path) -> None:
    """Bought and sold lots, less what is still held, are all in trips."""
    whole = read_session(session_folder).tracks[0]
    fills, trips = whole.fills, round_trips(whole)
    bought = fills["qty_lots"][fills["sign"] == 1].sum()
    sold = fills["qty_lots"][fills["sign"] == -1].sum()
    assert trips["qty_lots"].sum() == min(bought, sold) > 0
