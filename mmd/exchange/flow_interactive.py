"""A generated market that reacts to its book: strangers who quote, cancel, trade by chance or by knowledge.

Candidate events come from fixed-rate streams, one per kind, each with its own counter-based randomness; the
book's state only decides which are accepted. Paths thus stay coupled when different strategies trade in
the same market.
Source: Huang, Lehalle, Rosenbaum, "Simulating and analyzing order book data: the queue-reactive model"
(2015); thinning after Lewis and Shedler (1979); informed traders after Glosten and Milgrom (1985).
"""

import math
from enum import IntEnum

from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.exchange import background
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import ExchangeEvent
from mmd.exchange.generator_calibrated import CalibratedPlacement
from mmd.exchange.generator_hawkes import Excitation
from mmd.exchange.generator_phases import NEUTRAL, PhaseSchedule
from mmd.exchange.generator_placement import (
    Changes,
    Placement,
    SyntheticPlacement,
    anchor,
    behind_touch,
)
from mmd.exchange.latent_price import STEP_NS, LatentPrice
from mmd.exchange.market import Market
from mmd.exchange.order_book import Outcome
from mmd.exchange.presets import FlowPreset, PriceLink
from mmd.exchange.random_rows import RandomRows

_STREAMS_PER_MARKET = 16
_PRUNED_PER_STEP = 64
_NEVER_NS = 2**62


class Kind(IntEnum):
    """Streams of candidates; the number is part of the random key and must not change."""

    LIMIT = 1
    CANCEL = 2
    MARKET = 3
    INFORMED = 4
    LATENT = 5
    OPENING = 6
    NEWS = 7
    HURRY = 8


_MARKET, _LATENT, _HURRY = int(Kind.MARKET), int(Kind.LATENT), int(Kind.HURRY)
_CANDIDATES = (Kind.LIMIT, Kind.CANCEL, Kind.MARKET, Kind.INFORMED, Kind.NEWS, Kind.HURRY)


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
        self.accepted = dict.fromkeys(_CANDIDATES, 0)
        self._preset = preset
        self._exchange = exchange
        self._market = market
        self._start_ns = start_ns
        self._schedule = PhaseSchedule(preset.phases)
        self._phase = NEUTRAL
        self._placement: Placement = (
            SyntheticPlacement(preset)
            if preset.tables is None
            else CalibratedPlacement(preset, preset.tables)
        )
        offset = _STREAMS_PER_MARKET * market.instrument.id
        self._rows = [RandomRows(seed, kind + offset, 6) for kind in range(len(Kind) + 1)]
        self._rates = self._candidate_rates()
        self._index = [0] * len(self._rows)
        start = preset.price / float(market.instrument.tick_size)
        link = PriceLink(seed=seed) if link is None else link
        path = RandomRows(link.seed, Kind.LATENT + offset, 4)
        self._latent = LatentPrice(preset, path, start, link.lag_ns // STEP_NS)
        self._due_ns = [_NEVER_NS] * len(self._rows)
        self._due_ns[Kind.LATENT] = start_ns + STEP_NS
        for kind in _CANDIDATES:
            self._due_ns[kind] = self._gap(kind, start_ns) if kind != Kind.HURRY else _NEVER_NS
        self._excitation = Excitation(preset, start_ns)
        self._play = {
            int(Kind.LIMIT): self._limit,
            int(Kind.CANCEL): self._cancel,
            int(Kind.MARKET): self._trade_by_chance,
            int(Kind.INFORMED): self._trade_by_knowledge,
            int(Kind.NEWS): self._trade_first,
            int(Kind.HURRY): self._act_fast,
        }
        self._fill_opening_book(RandomRows(seed, Kind.OPENING + offset, 2))

    @property
    def latent_ticks(self) -> float:
        """The efficient price, in ticks; for tests and reports, never served."""
        return self._latent.ticks

    @property
    def public_ticks(self) -> float:
        """What uninformed strangers take the efficient price for, in ticks; never served."""
        return self._latent.public_ticks

    @property
    def is_feed_silent(self) -> bool:
        """Whether market data is out, by the preset's phases."""
        return self._phase.is_feed_silent

    @property
    def next_ns(self) -> int:
        """When the next candidate is due."""
        return min(self._due_ns)

    def step(self) -> list[ExchangeEvent]:
        """Play the next candidate, at its own time; returns the trades and executions it caused."""
        due = self._due_ns
        now_ns = min(due)
        kind = due.index(now_ns)
        if kind == _LATENT:
            self._step_latent(now_ns)
            self._hurry(now_ns)
            return []
        row = self._rows[kind].row(self._index[kind])
        self._index[kind] += 1
        due[kind] = _NEVER_NS
        outcomes = self._play[kind](now_ns, row)
        due[kind] = self._gap(kind, now_ns)
        if outcomes is None:
            return []
        self.accepted[Kind(kind)] += 1
        self._keep_depth()
        self._hurry(now_ns)
        return self._exchange.background(self._market, outcomes, now_ns)

    def advance(self, until_ns: int) -> list[ExchangeEvent]:
        """Play everything due until then."""
        events: list[ExchangeEvent] = []
        while self.next_ns <= until_ns:
            events += self.step()
        return events

    def _candidate_rates(self) -> list[float]:
        """Candidates a second of each stream: the most that any state or phase lets through."""
        p, schedule = self._preset, self._schedule
        phi = p.informed_share
        news = phi / (1.0 - phi) * p.market_rate_total if p.news_jump_ticks > 0.0 else 0.0
        looks = p.market_rate_max * phi if p.attention_rate is None else p.attention_rate
        rates = {
            Kind.LIMIT: self._placement.limit_rate * schedule.limits_max,
            Kind.CANCEL: self._placement.cancel_rate * schedule.cancels_max,
            Kind.MARKET: p.market_rate_max * schedule.markets_max,
            Kind.INFORMED: looks if phi > 0.0 else 0.0,
            Kind.NEWS: news,
            Kind.HURRY: self._placement.hurry_rate,
        }
        return [rates.get(Kind(k), 0.0) if k > 0 else 0.0 for k in range(len(self._rows))]

    def _gap(self, kind: int, now_ns: int) -> int:
        """Time of the candidate after now: exponential waiting at the stream's fixed rate."""
        rate = self._rates[kind]
        if rate <= 0.0:
            return _NEVER_NS
        u = self._rows[kind].row(self._index[kind])[0]
        return now_ns + max(1, round(-math.log(1.0 - u) / rate * NANOS_PER_SECOND))

    def _hurry(self, now_ns: int) -> None:
        """Start or stop the fast candidates: they come only while the book calls for them.

        Waiting times have no memory, so each start draws a new one; paths stay coupled by its index.
        """
        if self._rates[_HURRY] == 0.0:
            return
        is_on = self._due_ns[_HURRY] != _NEVER_NS
        if self._placement.is_urgent(self._market.book, self._latent.reference_ticks) == is_on:
            return
        if is_on:
            self._due_ns[Kind.HURRY] = _NEVER_NS
            self._index[Kind.HURRY] += 1
        else:
            self._due_ns[Kind.HURRY] = self._gap(Kind.HURRY, now_ns)

    def _step_latent(self, now_ns: int) -> None:
        if self._preset.phases:
            elapsed_s = (now_ns - self._start_ns) / NANOS_PER_SECOND
            self._phase = self._schedule.at(elapsed_s)
            news_bps = self._schedule.jump_bps(elapsed_s, STEP_NS / NANOS_PER_SECOND)
            self._latent.tell(news_bps * 1e-4 * self._latent.ticks)
        self._latent.step(self._phase)
        self._due_ns[_LATENT] = now_ns + STEP_NS
        self._prune()

    def _limit(self, _: int, row: list[float]) -> list[Outcome] | None:
        thinned = _thinned(row, self._phase.limits, self._schedule.limits_max)
        if thinned is None:
            return None
        book = self._market.book
        return self._apply(self._placement.limit(book, self._latent.reference_ticks, thinned))

    def _cancel(self, _: int, row: list[float]) -> list[Outcome] | None:
        thinned = _thinned(row, self._phase.cancels, self._schedule.cancels_max)
        if thinned is None:
            return None
        book = self._market.book
        return self._apply(self._placement.cancel(book, self._latent.reference_ticks, thinned))

    def _act_fast(self, _: int, row: list[float]) -> list[Outcome] | None:
        book = self._market.book
        return self._apply(self._placement.hurry(book, self._latent.reference_ticks, row))

    def _apply(self, changes: Changes) -> list[Outcome] | None:
        """Do what a placement decided; None if it rejected the candidate."""
        if not changes:
            return None
        outcomes: list[Outcome] = []
        for side, price, lots in changes:
            if lots > 0:
                outcomes += background.add(self._market.book, side, price, lots)
            else:
                background.remove(self._market.book, side, price, -lots)
        return outcomes

    def _trade_by_chance(self, now_ns: int, row: list[float]) -> list[Outcome] | None:
        _, u_accept, u_side, _, u1, u2 = row
        p, book, phase = self._preset, self._market.book, self._phase
        excited = self._excitation.at(now_ns)
        buys, sells = (
            (0.5 * p.market_rate + excited[side])
            * max(
                self._placement.market_weight(book, side) + 2.0 * side.sign * phase.buy_shift, 0.0
            )
            for side in Side
        )
        bound, total = self._rates[_MARKET], buys + sells
        side = Side.BUY if u_side * total < buys else Side.SELL
        is_accepted = u_accept * bound < phase.markets * total
        if is_accepted:
            self._excitation.add(side)
        self._bound_market_rate()
        if not is_accepted:
            return None
        touch = book.sides[side.opposite].best
        if touch is None:
            return None
        lots = self._placement.market_lots(u1, u2)
        return background.take(book, side, lots, touch + side.sign * p.market_reach)

    def _bound_market_rate(self) -> None:
        """Bound the intensity until the next candidate: excitation only decays until then.

        A made-up preset keeps its one bound, so that candidates come at the same times whatever happens.
        Source: Ogata, "On Lewis' simulation method for point processes" (1981).
        """
        p = self._preset
        if p.tables is None:
            return
        weight = max(map(max, p.tables.market_weights))
        rate = weight * (p.market_rate + sum(self._excitation.excited))
        self._rates[_MARKET] = min(rate, p.market_rate_max) * self._schedule.markets_max

    def _trade_first(self, _: int, row: list[float]) -> list[Outcome] | None:
        """News: whoever has it trades at once, where that pays; V has moved in any case."""
        side = Side.BUY if row[2] < 0.5 else Side.SELL
        self._latent.tell(side.sign * self._preset.news_jump_ticks)
        return self._take_beyond(self._placement.market_lots(row[4], row[5]))

    def _trade_by_knowledge(self, _: int, row: list[float]) -> list[Outcome] | None:
        """An informed trader looks at the book: V is known to him, news that is not out included."""
        return self._take_beyond(2 * self._placement.market_lots(row[4], row[5]))

    def _take_beyond(self, lots: int) -> list[Outcome] | None:
        """Take what stands beyond V by more than the fee: |V - mid| above half the spread plus the fee."""
        book, latent, fee = self._market.book, self._latent.ticks, self._preset.informed_fee
        ask, bid = book.best_ask, book.best_bid
        if ask is not None and latent > ask + fee:
            return background.take(book, Side.BUY, lots, math.floor(latent - fee))
        if bid is not None and latent < bid - fee:
            return background.take(book, Side.SELL, lots, math.ceil(latent + fee))
        return None

    def _fill_opening_book(self, rows: RandomRows) -> None:
        for change in self._placement.opening(self._latent.reference_ticks, rows):
            background.add(self._market.book, *change)

    def _keep_depth(self) -> None:
        """Far traders fill up a side that was swept."""
        lots, gap = self._placement.refill_lots, self._placement.refill_gap
        depth_min = self._preset.depth_min
        for side in self._market.book.sides:
            while len(side) < depth_min:
                worst = side.worst
                price = self._restart(side.side) if worst is None else worst - side.side.sign * gap
                if price < 1:
                    break
                background.add(self._market.book, side.side, price, lots)

    def _restart(self, side: Side) -> int:
        """Where an empty side begins again."""
        price = anchor(self._preset, self._latent.reference_ticks, side)
        return behind_touch(self._market.book, side, price)

    def _prune(self) -> None:
        """Strangers far from the market give up, so that the book does not grow without end."""
        book, price, far_ticks = self._market.book, self._latent.ticks, self._preset.far_ticks
        for side in book.sides:
            for _ in range(_PRUNED_PER_STEP):
                worst = side.worst
                if worst is None or abs(worst - price) <= far_ticks:
                    break
                if background.remove(book, side.side, worst, side.levels[worst].background) == 0:
                    break
        self._keep_depth()


def _thinned(row: list[float], multiplier: float, multiplier_max: float) -> list[float] | None:
    """A candidate that the phase lets through, its number for acceptance uniform again; else None."""
    if multiplier_max == 1.0 == multiplier:
        return row
    scaled = row[3] * multiplier_max
    return [*row[:3], scaled / multiplier, *row[4:]] if scaled < multiplier else None
