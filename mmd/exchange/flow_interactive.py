"""A generated market that reacts to its book: strangers who quote, cancel, trade by chance or by knowledge.

Queue-reactive in spirit: candidate events come from fixed-rate streams, one per kind, each with its own
counter-based randomness; the book's state only decides which are accepted. Paths thus stay coupled when
different strategies trade in the same market.
Source: Huang, Lehalle, Rosenbaum, "Simulating and analyzing order book data: the queue-reactive model"
(2015); Hawkes excitation as in Bacry, Mastromatteo, Muzy (2015); informed traders after Glosten and
Milgrom (1985).
"""

import math
from enum import IntEnum

from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.exchange import background
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import ExchangeEvent
from mmd.exchange.latent_price import STEP_NS, LatentPrice, lognormal_lots
from mmd.exchange.market import Market
from mmd.exchange.order_book import Outcome
from mmd.exchange.presets import FlowPreset, PriceLink
from mmd.exchange.random_rows import RandomRows

_FAR_TICKS = 150
_STREAMS_PER_MARKET = 16


class _Kind(IntEnum):
    """Streams of candidates; the number is part of the random key and must not change."""

    LIMIT = 1
    CANCEL = 2
    MARKET = 3
    INFORMED = 4
    LATENT = 5
    OPENING = 6


class InteractiveFlow:
    """Drives one market's background from a seed; `accepted` counts events by kind for reports."""

    def __init__(
        self,
        preset: FlowPreset,
        seed: int,
        exchange: Exchange,
        market: Market,
        start_ns: int,
        link: PriceLink | None = None,
    ) -> None:
        """Fill the opening book; without a link the efficient price is this market's own."""
        self.accepted = dict.fromkeys((_Kind.LIMIT, _Kind.CANCEL, _Kind.MARKET, _Kind.INFORMED), 0)
        self._preset = preset
        self._exchange = exchange
        self._market = market
        offset = _STREAMS_PER_MARKET * market.instrument.id
        self._rows = {kind: RandomRows(seed, kind + offset, 6) for kind in self.accepted}
        self._rates = {
            _Kind.LIMIT: preset.limit_rate,
            _Kind.CANCEL: preset.cancel_rate,
            _Kind.MARKET: preset.market_rate_max,
            _Kind.INFORMED: preset.market_rate_max * preset.informed_share,
        }
        self._index = dict.fromkeys(self.accepted, 0)
        start = preset.price / float(market.instrument.tick_size)
        link = PriceLink(seed=seed) if link is None else link
        path = RandomRows(link.seed, _Kind.LATENT + offset, 4)
        self._latent = LatentPrice(preset, path, start, link.lag_ns // STEP_NS)
        self._step_ns = start_ns + STEP_NS
        self._next_ns = {kind: self._gap(kind, start_ns) for kind in self.accepted}
        self._excited = 0.0
        self._excited_ns = start_ns
        self._fill_opening_book(RandomRows(seed, _Kind.OPENING + offset, 2))

    @property
    def latent_ticks(self) -> float:
        """The efficient price, in ticks; for tests and reports, never served."""
        return self._latent.ticks

    @property
    def next_ns(self) -> int:
        """When the next candidate is due."""
        return min(self._step_ns, *self._next_ns.values())

    def step(self) -> list[ExchangeEvent]:
        """Play the next candidate, at its own time; returns the trades and executions it caused."""
        kind = min(self._next_ns, key=self._next_ns.__getitem__)
        now_ns = self._next_ns[kind]
        if self._step_ns <= now_ns:
            self._latent.step()
            self._step_ns += STEP_NS
            self._prune()
            return []
        row = self._rows[kind].row(self._index[kind])
        self._index[kind] += 1
        self._next_ns[kind] = self._gap(kind, now_ns)
        outcomes = self._candidate(kind, now_ns, row)
        if outcomes is None:
            return []
        self.accepted[kind] += 1
        self._keep_depth()
        return self._exchange.background(self._market, outcomes, now_ns)

    def advance(self, until_ns: int) -> list[ExchangeEvent]:
        """Play everything due until then."""
        events: list[ExchangeEvent] = []
        while self.next_ns <= until_ns:
            events += self.step()
        return events

    def _gap(self, kind: _Kind, now_ns: int) -> int:
        """Time of the candidate after now: exponential waiting at the stream's fixed rate."""
        rate = self._rates[kind]
        if rate <= 0.0:
            return 2**62
        u = self._rows[kind].row(self._index[kind])[0]
        return now_ns + max(1, round(-math.log(1.0 - u) / rate * NANOS_PER_SECOND))

    def _candidate(self, kind: _Kind, now_ns: int, row: list[float]) -> list[Outcome] | None:
        match kind:
            case _Kind.LIMIT:
                return self._limit(row)
            case _Kind.CANCEL:
                return self._cancel(row)
            case _Kind.MARKET:
                return self._trade_by_chance(now_ns, row)
            case _:
                return self._trade_by_knowledge(row)

    def _limit(self, row: list[float]) -> list[Outcome] | None:
        _, u_side, u_distance, u_accept, u1, u2 = row
        side = Side.BUY if u_side < 0.5 else Side.SELL
        distance = self._distance(u_distance)
        price = self._anchor(side) - side.sign * distance
        book = self._market.book
        touch = book.sides[side.opposite].best
        if touch is not None and (price - touch) * side.sign >= 0:
            price = touch - side.sign
        target = self._target(distance)
        if price < 1 or u_accept * (target + book.sides[side].displayed(price)) > target:
            return None
        lots = lognormal_lots(self._preset.limit_lots, self._preset.limit_spread, u1, u2)
        return background.add(book, side, price, lots)

    def _cancel(self, row: list[float]) -> list[Outcome] | None:
        _, u_side, u_distance, u_accept, u1, u2 = row
        side = Side.BUY if u_side < 0.5 else Side.SELL
        book = self._market.book
        best = book.sides[side].best
        if best is None:
            return None
        stale = (best - self._anchor(side)) * side.sign
        price = best if stale > 0 else best - side.sign * self._distance(u_distance)
        level = book.sides[side].levels.get(price)
        if level is None or level.background == 0:
            return None
        lots = level.background
        if stale > 0:
            if u_accept >= self._preset.stale_alertness:
                return None
        else:
            target = self._target(abs(best - price))
            if u_accept * (target + lots) > lots:
                return None
            lots = lognormal_lots(self._preset.limit_lots, self._preset.limit_spread, u1, u2)
        background.remove(book, side, price, lots)
        return []

    def _trade_by_chance(self, now_ns: int, row: list[float]) -> list[Outcome] | None:
        _, u_accept, u_side, _, u1, u2 = row
        p = self._preset
        self._excited *= math.exp(-p.decay * (now_ns - self._excited_ns) / NANOS_PER_SECOND)
        self._excited_ns = now_ns
        if u_accept * p.market_rate_max >= p.market_rate + self._excited:
            return None
        self._excited += p.excitation
        side = Side.BUY if u_side < 0.5 + p.imbalance_pull * self._imbalance() else Side.SELL
        touch = self._market.book.sides[side.opposite].best
        if touch is None:
            return None
        lots = lognormal_lots(p.market_lots, p.market_spread, u1, u2)
        return background.take(self._market.book, side, lots, touch + side.sign * p.market_reach)

    def _trade_by_knowledge(self, row: list[float]) -> list[Outcome] | None:
        p, book, latent = self._preset, self._market.book, self._latent.ticks
        lots = lognormal_lots(2.0 * p.market_lots, p.market_spread, row[4], row[5])
        ask, bid = book.best_ask, book.best_bid
        if ask is not None and latent > ask + p.informed_fee:
            return background.take(book, Side.BUY, lots, math.floor(latent - p.informed_fee))
        if bid is not None and latent < bid - p.informed_fee:
            return background.take(book, Side.SELL, lots, math.ceil(latent + p.informed_fee))
        return None

    def _anchor(self, side: Side) -> int:
        """Best price at which an uninformed stranger quotes."""
        if side == Side.BUY:
            return math.floor(self._latent.ticks - self._preset.anchor)
        return math.ceil(self._latent.ticks + self._preset.anchor)

    def _distance(self, u: float) -> int:
        """Ticks from the touch: mostly geometric, sometimes anywhere in the depth."""
        p = self._preset
        if u < p.far_share:
            return int(u / p.far_share * p.depth)
        rest = (u - p.far_share) / (1.0 - p.far_share)
        return min(int(math.log(1.0 - rest) / math.log(1.0 - p.place_decay)), p.depth)

    def _target(self, distance: int) -> float:
        """Queue size at which arrivals and cancels balance."""
        p = self._preset
        share = min(distance, 8) / 8.0
        return p.queue_touch_lots + share * (p.queue_deep_lots - p.queue_touch_lots)

    def _imbalance(self) -> float:
        """(bid - ask) / (bid + ask) of the displayed touch, 0 where a side is empty."""
        bids, asks = self._market.book.sides
        if bids.best is None or asks.best is None:
            return 0.0
        bid, ask = bids.displayed(bids.best), asks.displayed(asks.best)
        return (bid - ask) / (bid + ask)

    def _fill_opening_book(self, rows: RandomRows) -> None:
        for side in Side:
            for distance in range(self._preset.depth):
                u = rows.row(distance)[side]
                lots = max(1, round(self._target(distance) * (0.5 + u)))
                price = self._anchor(side) - side.sign * distance
                if price > 0:
                    background.add(self._market.book, side, price, lots)

    def _keep_depth(self) -> None:
        """Far traders fill up a side that was swept."""
        lots = round(self._preset.queue_deep_lots)
        for side in self._market.book.sides:
            while len(side) < self._preset.depth_min:
                worst = side.worst
                price = self._anchor(side.side) if worst is None else worst - side.side.sign
                if price < 1:
                    break
                background.add(self._market.book, side.side, price, lots)

    def _prune(self) -> None:
        """Strangers far from the market give up, so that the book does not grow without end."""
        book = self._market.book
        for side in book.sides:
            worst = side.worst
            if worst is not None and abs(worst - self._latent.ticks) > _FAR_TICKS:
                background.remove(book, side.side, worst, side.levels[worst].background)
