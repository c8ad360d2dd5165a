"""One instrument at the exchange: its book, filters, fee rates, statistics and the settlement of trades."""

from collections import deque

from mmd.core.instrument import Instrument
from mmd.core.units import Side
from mmd.exchange.accounts import Account, TradeValue, commission_atoms, lock_of, rate_of_bps
from mmd.exchange.executions import (
    BalanceChange,
    ExchangeEvent,
    Execution,
    ExecutionKind,
    ExpiryReason,
    PublicTrade,
)
from mmd.exchange.filters import Filters
from mmd.exchange.market_stats import MarketStats
from mmd.exchange.order_book import Match, OrderBook, Outcome, Prevented
from mmd.exchange.order_history import OrderHistory
from mmd.exchange.orders import Order, OrderState

_TRADES_KEPT = 1000


class Market:
    """Turns what a book reports into executions, balances and public trades.

    `strangers` and `fees` hold what background traders and the exchange gained, by asset, so that value
    can be seen to be conserved.
    """

    def __init__(
        self,
        instrument: Instrument,
        accounts: dict[str, Account],
        history: OrderHistory,
        *,
        dictated: bool,
    ) -> None:
        self.instrument = instrument
        self.book = OrderBook(dictated=dictated)
        self.filters = Filters(instrument)
        self.value = TradeValue(instrument)
        self.stats = MarketStats()
        self.status = instrument.status
        self.trades: deque[PublicTrade] = deque(maxlen=_TRADES_KEPT)
        self.strangers: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self._accounts = accounts
        self._history = history
        self._maker_rate = rate_of_bps(instrument.maker_fee_bps)
        self._taker_rate = rate_of_bps(instrument.taker_fee_bps)

    def reference_ticks(self, now_ns: int) -> int:
        """Price that filters compare with: the 5-minute average, else the mid, else 0."""
        average = self.stats.average_ticks(now_ns)
        if average > 0:
            return average
        bid, ask = self.book.best_bid, self.book.best_ask
        return (bid + ask) // 2 if bid is not None and ask is not None else 0

    def settle(self, outcomes: list[Outcome], now_ns: int) -> list[ExchangeEvent]:
        """Book what happened in the book; balances are announced once per account, last."""
        events: list[ExchangeEvent] = []
        touched: dict[str, None] = {}
        for outcome in outcomes:
            if isinstance(outcome, Prevented):
                events.append(self._prevented(outcome, now_ns))
                touched[outcome.order.account] = None
            else:
                events += self._settle_match(outcome, now_ns)
                for order in (outcome.maker, outcome.taker):
                    if order is not None:
                        touched[order.account] = None
        events += self.balance_changes(touched, now_ns)
        return events

    def balance_changes(self, names: dict[str, None], now_ns: int) -> list[BalanceChange]:
        """One event for each named account, with its balances of the instrument's two assets."""
        changes = []
        for name in names:
            account = self._accounts[name]
            account.ts_updated_ns = now_ns
            pair = (self.instrument.base, self.instrument.quote)
            rows = tuple((a, account.free.get(a, 0), account.locked.get(a, 0)) for a in pair)
            changes.append(BalanceChange(account=name, balances=rows, ts_ns=now_ns))
        return changes

    def lock(self, order: Order) -> None:
        """Set the order's funds aside. Raises: Refused if they are not there."""
        if order.price_ticks > 0:
            ticklots = order.price_ticks * order.qty_lots
        else:
            ticklots = self.book.cost_of_taking(order.side, order.qty_lots)
        atoms = lock_of(self.value, order.side, ticklots, order.qty_lots)
        self._accounts[order.account].lock(self._pays(order), atoms)
        order.locked_atoms = atoms

    def relock(self, order: Order) -> None:
        """Give back what the order's remaining quantity no longer needs."""
        leaves = order.qty_lots - order.filled_lots if order.is_open else 0
        needed = lock_of(self.value, order.side, order.price_ticks * leaves, leaves)
        if order.price_ticks == 0 and order.is_open:
            return  # a market order's lock was an estimate: it goes back when the order ends
        if order.locked_atoms > needed:
            self._accounts[order.account].unlock(self._pays(order), order.locked_atoms - needed)
            order.locked_atoms = needed

    def end(self, order: Order, state: OrderState, now_ns: int) -> None:
        """Close an order and free its funds."""
        order.state = state
        order.ts_updated_ns = now_ns
        self.relock(order)
        self._history.close(order)

    def execution(
        self, order: Order, kind: ExecutionKind, now_ns: int, **details: object
    ) -> Execution:
        """An execution that carries the order's present numbers and the given details."""
        return Execution(
            order=order,
            kind=kind,
            execution_id=self._history.next_execution_id(),
            state=order.state,
            client_order_id=order.client_order_id,
            qty_lots=order.qty_lots,
            filled_lots=order.filled_lots,
            quote_atoms=order.quote_atoms,
            ts_ns=now_ns,
            is_working=order.is_open,
            **details,  # type: ignore[arg-type]
        )

    def _pays(self, order: Order) -> str:
        return self.instrument.quote if order.side == Side.BUY else self.instrument.base

    def _settle_match(self, match: Match, now_ns: int) -> list[ExchangeEvent]:
        trade = PublicTrade(
            instrument=self.instrument.id,
            trade_id=match.trade_id,
            price_ticks=match.price_ticks,
            qty_lots=match.qty_lots,
            aggressor=match.aggressor,
            ts_ns=now_ns,
        )
        self.trades.append(trade)
        self.stats.record(now_ns, match.trade_id, match.price_ticks, match.qty_lots)
        events: list[ExchangeEvent] = []
        for order, is_maker in ((match.taker, False), (match.maker, True)):
            if order is not None:
                events.append(self._fill(order, match, now_ns, is_maker=is_maker))
        if match.maker is None or match.taker is None:
            known = match.maker if match.maker is not None else match.taker
            if known is not None:
                self._count_stranger(known.side, match)
        events.append(trade)
        return events

    def _fill(self, order: Order, match: Match, now_ns: int, *, is_maker: bool) -> Execution:
        account = self._accounts[order.account]
        quote = self.value.quote_atoms(match.price_ticks * match.qty_lots)
        base = self.value.base_atoms(match.qty_lots)
        paid, received = (quote, base) if order.side == Side.BUY else (base, quote)
        pays = self._pays(order)
        receives = self.instrument.base if order.side == Side.BUY else self.instrument.quote
        fee = commission_atoms(received, self._maker_rate if is_maker else self._taker_rate)
        account.pay_locked(pays, paid)
        order.locked_atoms -= paid
        account.receive(receives, received - fee)
        self.fees[receives] = self.fees.get(receives, 0) + fee
        order.filled_lots += match.qty_lots
        order.quote_atoms += quote
        self._advance_state(order, now_ns)
        return self.execution(
            order,
            ExecutionKind.TRADE,
            now_ns,
            last_qty_lots=match.qty_lots,
            last_price_ticks=match.price_ticks,
            last_quote_atoms=quote,
            trade_id=match.trade_id,
            is_maker=is_maker,
            fee_atoms=fee,
            fee_asset=receives,
        )

    def _advance_state(self, order: Order, now_ns: int) -> None:
        if order.filled_lots == order.qty_lots:
            self.end(order, OrderState.FILLED, now_ns)
        else:
            order.state = OrderState.PARTIALLY_FILLED
            order.ts_updated_ns = now_ns
            self.relock(order)

    def _count_stranger(self, side: Side, match: Match) -> None:
        """Book the background's half of a trade with an account that was on this side."""
        quote = self.value.quote_atoms(match.price_ticks * match.qty_lots)
        base = self.value.base_atoms(match.qty_lots)
        at = self.instrument
        self.strangers[at.quote] = self.strangers.get(at.quote, 0) + side.sign * quote
        self.strangers[at.base] = self.strangers.get(at.base, 0) - side.sign * base

    def _prevented(self, outcome: Prevented, now_ns: int) -> Execution:
        order = outcome.order
        order.prevented_lots += outcome.qty_lots
        self.end(order, OrderState.EXPIRED_IN_MATCH, now_ns)
        return self.execution(
            order,
            ExecutionKind.TRADE_PREVENTION,
            now_ns,
            last_qty_lots=outcome.qty_lots,
            last_price_ticks=outcome.other.price_ticks,
            expiry=ExpiryReason.SELF_TRADE,
            counter_order_id=outcome.other.order_id,
        )
