"""Features against a plain Python computation, and OFI against every branch of its definition."""

import math

import numpy as np
import pytest

from mmd.core.market import book as book_kernels
from mmd.core.market import features as kernels
from mmd.core.market import trade_flow as flow_kernels
from mmd.core.market.book import BOOK
from mmd.core.market.features import FEATURES, NAMES, NO_TOUCH, OK, N, index, reset
from mmd.core.market.record import MARKET
from mmd.core.market.trade_flow import TAUS_S, TRADE_FLOW
from mmd.core.market.volatility import VOLATILITY
from mmd.jit.kernel import bind, new
from tests.market_events import diff, snapshot, top, trade

SECOND = 1_000_000_000
BOOK_REC, FLOW_REC, VOL_REC, FEATURES_REC = (
    new(BOOK),
    new(TRADE_FLOW),
    new(VOLATILITY),
    new(FEATURES),
)
reset_book = bind(book_kernels.reset, BOOK_REC)
apply = bind(book_kernels.apply, BOOK_REC, new(MARKET))
apply_top = bind(book_kernels.apply_top, BOOK_REC, new(MARKET))
on_trade = bind(flow_kernels.on_trade, FLOW_REC, new(MARKET))
update = bind(kernels.update, FEATURES_REC, BOOK_REC, FLOW_REC, VOL_REC, 0)


@pytest.fixture(autouse=True)
def _clean() -> None:
    """All records as new."""
    reset(FEATURES_REC)
    reset_book(BOOK_REC)
    FLOW_REC[:] = np.zeros((), FLOW_REC.dtype)
    VOL_REC[:] = np.zeros((), VOL_REC.dtype)


def value(name: str) -> float:
    """A feature by its name."""
    return float(FEATURES_REC["x"][0, index(name)])


def step(bids, asks, now_ns: int = 1) -> int:
    """Put a book and update the features."""
    apply(BOOK_REC, snapshot(1, bids, asks))
    return update(FEATURES_REC, BOOK_REC, FLOW_REC, VOL_REC, now_ns)


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        ((100, 7), (102, 4), 2.0),  # bid size 5 -> 7
        ((100, 2), (102, 4), -3.0),  # bid size 5 -> 2
        ((101, 3), (102, 4), 3.0),  # bid up: the new queue
        ((99, 3), (102, 4), -5.0),  # bid down: the old queue is gone
        ((100, 5), (102, 9), -5.0),  # ask size 4 -> 9
        ((100, 5), (102, 1), 3.0),  # ask size 4 -> 1
        ((100, 5), (103, 8), 4.0),  # ask up: the old queue is gone
        ((100, 5), (101, 8), -8.0),  # ask down: the new queue
        ((101, 3), (103, 8), 7.0),  # both up
        ((99, 3), (101, 8), -13.0),  # both down
    ],
)
def test_ofi_has_every_branch_of_equation_ten(bid, ask, expected) -> None:
    """From best bid (100, 5) and best ask (102, 4)."""
    step([(100, 5)], [(102, 4)])
    assert value("ofi") == 0.0
    step([bid], [ask])
    assert value("ofi") == expected
    assert [value(f"ofi_{tau}s") for tau in (1, 5, 30)] == [expected] * 3


def test_decaying_sums_forget_in_engine_time() -> None:
    """Two seconds later an OFI of -3 and a return of half a tick have shrunk by exp(-2 / tau)."""
    step([(100, 5)], [(102, 4)], SECOND)
    step([(100, 2)], [(103, 4)], SECOND)
    step([(100, 2)], [(103, 4)], 3 * SECOND)
    keeps = [math.exp(-2.0 / tau) for tau in TAUS_S]
    assert [value(f"ofi_{tau}s") for tau in (1, 5, 30)] == pytest.approx([k * 1.0 for k in keeps])
    assert [value(f"return_{tau}s") for tau in (1, 5, 30)] == pytest.approx(
        [k * 0.5 for k in keeps]
    )
    assert value("ofi") == 0.0


def test_book_without_a_touch_leaves_the_vector_and_forgets_the_levels() -> None:
    """No flow and no return is measured across the hole."""
    step([(100, 5)], [(102, 4)])
    before = FEATURES_REC["x"].copy()
    assert step([(100, 5)], []) == NO_TOUCH
    assert np.array_equal(FEATURES_REC["x"], before)
    assert step([(500, 9)], [(502, 9)]) == OK
    assert (value("ofi"), value("return_30s"), value("spread")) == (0.0, 0.0, 2.0)


def test_unsynchronised_book_is_no_touch() -> None:
    """After a gap the vector stands still until the next snapshot."""
    step([(100, 5)], [(102, 4)])
    apply(BOOK_REC, diff(7, 9))
    assert update(FEATURES_REC, BOOK_REC, FLOW_REC, VOL_REC, 2) == NO_TOUCH


def test_newer_top_counts_before_the_depth_has_it() -> None:
    """Features read the view."""
    step([(100, 5)], [(102, 4)])
    apply_top(BOOK_REC, top(9, (101, 6), (102, 4)))
    update(FEATURES_REC, BOOK_REC, FLOW_REC, VOL_REC, 2)
    assert (value("spread"), value("ofi")) == (1.0, 6.0)


class Plain:
    """All features from full histories, as their definitions say."""

    def __init__(self) -> None:
        self.ofi: list[tuple[int, list[float]]] = []
        self.returns: list[tuple[int, float]] = []
        self.trades: list[tuple[int, int]] = []
        self.before: tuple[list[tuple[int, int]], list[tuple[int, int]]] | None = None

    def level_ofi(self, bids, asks, k: int) -> float:
        """Equation 10 at one level, 0 where a level is missing."""
        assert self.before is not None
        old_bids, old_asks = self.before
        if min(map(len, (bids, asks, old_bids, old_asks))) <= k:
            return 0.0
        (pb, qb), (pa, qa), (pb0, qb0), (pa0, qa0) = bids[k], asks[k], old_bids[k], old_asks[k]
        return qb * (pb >= pb0) - qb0 * (pb <= pb0) - qa * (pa <= pa0) + qa0 * (pa >= pa0)

    def decayed(self, events, now_ns: int, tau: float) -> float:
        """Sum over all events so far."""
        return sum(v * math.exp(-(now_ns - t) / SECOND / tau) for t, v in events)

    def update(self, bids, asks, now_ns: int, sigma: float) -> dict[str, float]:
        """Every feature by name."""
        mid = (bids[0][0] + asks[0][0]) / 2
        flows = [0.0] * 5
        if self.before is not None:
            flows = [self.level_ofi(bids, asks, k) for k in range(5)]
            self.returns.append((now_ns, mid - (self.before[0][0][0] + self.before[1][0][0]) / 2))
        self.ofi.append((now_ns, flows))
        self.before = (bids, asks)
        lots = {n: [sum(q for _, q in rows[:n]) for rows in (bids, asks)] for n in (1, 5, 10)}
        x = {"spread": asks[0][0] - bids[0][0], "ofi": flows[0], "sigma": sigma}
        for n, (b, a) in lots.items():
            x[f"imbalance_{n}"] = (b - a) / (b + a)
        (pb, qb), (pa, qa) = bids[0], asks[0]
        x["microprice_less_mid"] = (pb * qa + pa * qb) / (qb + qa) - mid
        for k in range(1, 5):
            x[f"ofi_level_{k + 1}_5s"] = self.decayed([(t, v[k]) for t, v in self.ofi], now_ns, 5)
        for tau in (1, 5, 30):
            x[f"ofi_{tau}s"] = self.decayed([(t, v[0]) for t, v in self.ofi], now_ns, tau)
            x[f"flow_{tau}s"] = self.decayed(self.trades, now_ns, tau)
            x[f"return_{tau}s"] = self.decayed(self.returns, now_ns, tau)
        x["trade_intensity"] = self.decayed([(t, 1 / 30) for t, _ in self.trades], now_ns, 30)
        for side, rows in (("bid", bids), ("ask", asks)):
            deepest = rows[:10][-1][0]
            x[f"depth_slope_{side}"] = sum(q for _, q in rows[:10]) / max(abs(deepest - mid), 0.5)
            for n in (1, 5):
                x[f"log_depth_{side}_{n}"] = math.log(1 + sum(q for _, q in rows[:n]))
        return x


def test_vector_equals_the_plain_computation() -> None:
    """On random books of 1 to 14 levels a side with trades between, every feature to 1e-9."""
    rng, plain, now_ns = np.random.default_rng(9), Plain(), 10**15
    for k in range(150):
        now_ns += int(rng.integers(0, 2 * SECOND))
        if rng.random() < 0.5:
            side, lots = int(rng.integers(0, 2)), int(rng.integers(1, 20))
            on_trade(FLOW_REC, trade(1000, lots, side, now_ns))
            plain.trades.append((now_ns, lots * (1 - 2 * side)))
            now_ns += int(rng.integers(0, SECOND))
        centre = 1000 + int(rng.integers(-3, 4))
        bids = [(centre - 1 - j, int(rng.integers(1, 99))) for j in range(rng.integers(1, 15))]
        asks = [(centre + 1 + 2 * j, int(rng.integers(1, 99))) for j in range(rng.integers(1, 15))]
        VOL_REC["sigma"] = 0.1 * k
        assert step(bids, asks, now_ns) == OK
        expected = plain.update(bids, asks, now_ns, 0.1 * k)
        assert set(expected) == {name for name, _ in NAMES}
        found = {name: value(name) for name, _ in NAMES}
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_every_feature_is_named_once_with_its_unit() -> None:
    """The names are the contract with trained models."""
    assert len({name for name, _ in NAMES}) == N == FEATURES_REC["x"].shape[1]
    assert all(unit for _, unit in NAMES)
    with pytest.raises(ValueError, match="not in list"):
        index("mid")
