"""A random walk with our fills on it, seen through the engine's own kernels, one second a step."""

import math
from dataclasses import dataclass, field

import numpy as np

from mmd.config_adverse import AdverseSection
from mmd.core.flow.adverse_kernels import NOT_QUOTED
from mmd.core.flow.adverse_selection import AdverseSelection
from mmd.core.flow.markout import Markouts
from mmd.core.flow.response import Response
from mmd.core.market import trade_flow, volatility
from mmd.core.market.record import MARKET, TRADE
from mmd.core.units import Side
from mmd.jit.kernel import bind, new

SECOND = 1_000_000_000
YEAR_S = 365 * 86_400
MID_TICKS = 100_000
PER_BPS = MID_TICKS * 1e-4


@dataclass(frozen=True)
class News:
    """Each fill is followed by the mid going jump_ticks against it, a share of the rest every second."""

    jump_ticks: float = 0.0
    release: float = 0.1


@dataclass
class FillWorld:
    """Half of the annual volatility is the price's own: sigma is what 50 % a year come to, in ticks per sqrt(s)."""

    seed: int
    settings: AdverseSection = field(default_factory=AdverseSection)
    volatility_a_year: float = 0.5
    fills_per_s: float = 0.1
    trades_per_s: float = 0.5
    news: News = News()
    spread_model: str = "glft"

    def __post_init__(self) -> None:
        """Build the records that a maker has."""
        self.rng = np.random.default_rng(self.seed)
        self.sigma = self.volatility_a_year / math.sqrt(YEAR_S) * MID_TICKS
        self.markouts, self.vol, self.flow = (
            Markouts(),
            new(volatility.VOLATILITY),
            new(trade_flow.TRADE_FLOW),
        )
        volatility.configure(self.vol, sigma_prior=self.sigma, half_life_s=60.0, bars_min=20)
        self.told: list[Response] = []
        spec = self.settings.spec()
        assert spec is not None
        self.watch = AdverseSelection(
            spec,
            self.seed,
            spread_model=self.spread_model,
            markout=self.markouts.record,
            vol=self.vol,
            flow=self.flow,
            respond=self.told.append,
        )
        self._market = new(MARKET)
        self._market["kind"] = TRADE
        self._on_trade = bind(trade_flow.on_trade, self.flow, self._market)
        self._on_vol = bind(volatility.on_time, self.vol, 0.0, 0)
        self.now_ns = SECOND
        self.price = float(MID_TICKS)
        self.pending = 0.0
        """Ticks of news that are still to come."""

    @property
    def mid(self) -> int:
        """Half ticks."""
        return round(2 * self.price)

    def trade(self, side: Side, lots: int) -> None:
        """An aggressor trades."""
        m = self._market
        m["side"], m["ts_recv_ns"] = int(side), self.now_ns
        m["sz"][0, 0, 0] = lots
        self._on_trade(self.flow, m)

    def fill(self, side: Side, level: int = 0, share: float = 1.0) -> None:
        """One of our quotes of 100 lots is filled."""
        lots = max(round(100 * share), 1)
        self.markouts.on_fill(side, round(self.price), lots, self.mid, self.now_ns)
        self.watch.on_fill(level, 0 if level == NOT_QUOTED else 100)
        self.pending -= side.sign * self.news.jump_ticks

    def step(self) -> None:
        """A second passes."""
        self.now_ns += SECOND
        moved = self.pending * self.news.release
        self.pending -= moved
        self.price += moved + self.sigma * self.rng.standard_normal()
        self.settle()

    def settle(self) -> None:
        """The engine sees the price and its timer."""
        self._on_vol(self.vol, self.price, self.now_ns)
        self.markouts.on_mid(self.mid, self.now_ns)
        self.markouts.on_time(self.now_ns)
        self.watch.on_time(self.mid, PER_BPS, self.now_ns)

    def run(self, seconds: int) -> None:
        """Fills and trades at random, on random sides, of random sizes."""
        rng = self.rng
        fills = rng.poisson(self.fills_per_s, seconds).tolist()
        trades = rng.poisson(self.trades_per_s, seconds).tolist()
        for n_fills, n_trades in zip(fills, trades, strict=True):
            for _ in range(n_trades):
                self.trade(Side(int(rng.integers(2))), int(rng.integers(1, 100)))
            for _ in range(n_fills):
                level = min(int(rng.geometric(0.6)) - 1, 2)
                self.fill(Side(int(rng.integers(2))), level, float(rng.uniform(0.01, 1.0)))
            self.step()
