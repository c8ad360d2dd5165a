"""Background flow dictated by a recording: its diffs and trades drive a market's book.

A recording's snapshot may come after diffs that are newer than it. The venue's own procedure is followed:
diffs wait until the snapshot is there, those it already contains are dropped, the first one used must
reach past it. A recording without a snapshot starts from an empty book.
"""

from collections import deque
from collections.abc import Iterator

from mmd.exchange import background
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import ExchangeEvent
from mmd.exchange.market import Market
from mmd.exchange.order_book import Outcome
from mmd.exchange.tape_actions import TapeAction, TapeDiff, TapeSnapshot, TapeTrade

SEARCH_MAX = 5_000
"""Actions to look through for a snapshot before giving up on one."""


class TapeFlow:
    """Plays a recording into one market, action by action.

    Counters for the log: `has_snapshot`, `gaps` (missing diffs in the recording) and `levels_uncrossed`
    (stale levels dropped because of them).
    """

    def __init__(self, actions: Iterator[TapeAction], exchange: Exchange, market: Market) -> None:
        self.has_snapshot = False
        self.gaps = 0
        self.levels_uncrossed = 0
        self.ts_ns = 0
        self._actions = actions
        self._exchange = exchange
        self._market = market
        self._waiting: deque[TapeAction] = deque()
        self._last_id = -1
        self._is_broken = False
        self._open()

    def next_action(self) -> TapeAction | None:
        """The next action to play, None at the end of the recording."""
        if self._waiting:
            return self._waiting.popleft()
        return next(self._actions, None)

    def play(self, action: TapeAction, now_ns: int) -> list[ExchangeEvent]:
        """Apply one action; returns the trades and executions it caused."""
        self.ts_ns = max(self.ts_ns, action.ts_ns)
        if isinstance(action, TapeDiff):
            outcomes = self._play_diff(action)
        elif isinstance(action, TapeTrade):
            outcomes = self._play_trade(action)
        else:
            outcomes = self._play_snapshot(action)
        return self._exchange.background(self._market, outcomes, now_ns)

    def _play_trade(self, trade: TapeTrade) -> list[Outcome]:
        book = self._market.book
        price, qty = trade.price_ticks, trade.qty_lots
        return background.print_trade(book, trade.aggressor, price, qty, trade.trade_id)

    def _play_diff(self, diff: TapeDiff) -> list[Outcome]:
        if diff.last_id <= self._last_id:
            return []
        if self._last_id >= 0 and max(diff.prev_id, diff.first_id - 1) > self._last_id:
            self.gaps += 1
            self._is_broken = True
        outcomes = background.set_levels(self._market.book, diff.bids, diff.asks, diff.last_id)
        self._last_id = diff.last_id
        self._uncross(diff)
        return outcomes

    def _open(self) -> None:
        """Find the snapshot, start the book from it, and keep the newer diffs for later."""
        before: list[TapeAction] = []
        for action in self._actions:
            if isinstance(action, TapeSnapshot):
                self._start_from(action)
                break
            before.append(action)
            if len(before) == SEARCH_MAX:
                break
        for action in before:
            if not isinstance(action, TapeDiff) or action.last_id > self._last_id:
                self._waiting.append(action)
        if before:
            self.ts_ns = before[0].ts_ns

    def _start_from(self, snapshot: TapeSnapshot) -> None:
        background.set_levels(self._market.book, snapshot.bids, snapshot.asks, snapshot.last_id)
        for side in self._market.book.sides:
            side.dirty.clear()
        self._last_id = snapshot.last_id
        self.ts_ns = snapshot.ts_ns
        self.has_snapshot = True

    def _play_snapshot(self, snapshot: TapeSnapshot) -> list[Outcome]:
        """A snapshot inside the recording: while no diff was lost the diffs say the same, and finer."""
        if (self.has_snapshot and not self._is_broken) or snapshot.last_id <= self._last_id:
            return []
        named = (dict(snapshot.bids), dict(snapshot.asks))
        for side, levels in zip(self._market.book.sides, named, strict=True):
            sign = side.side.sign
            reach = min((p * sign for p in levels), default=0)
            for price in side.prices():
                if price * sign >= reach:
                    levels.setdefault(price, 0)
        outcomes = background.set_levels(
            self._market.book, named[0].items(), named[1].items(), snapshot.last_id
        )
        self._last_id = snapshot.last_id
        self.has_snapshot = True
        self._is_broken = False
        return outcomes

    def _uncross(self, diff: TapeDiff) -> None:
        book = self._market.book
        bid, ask = book.best_bid, book.best_ask
        if bid is not None and ask is not None and bid >= ask:
            named = ({p for p, _ in diff.bids}, {p for p, _ in diff.asks})
            self.levels_uncrossed += background.uncross(book, named)
