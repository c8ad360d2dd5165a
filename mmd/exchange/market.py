"""One instrument at the exchange: its book, rules, statistics and the settlement of trades."""

from collections import deque

from mmd.core.instrument import Instrument
from mmd.core.units import Side
from mmd.exchange.accounts import Account, TradeValue, lock_of
from mmd.exchange.aggregates import aggregate
from mmd.exchange.executions import (
    AggregateTrade,
    BalanceChange,
    ExchangeEvent,
    Execution,
    ExecutionKind,
    ExpiryReason,
    PreventedMatch,
    PublicTrade,
)
from mmd.exchange.fees import Commission, FeeSchedule
from mmd.exchange.filters import Filters
from mmd.exchange.market_stats import MarketStats
from mmd.exchange.order_book import Match, OrderBook, Outcome, Prevented
from mmd.exchange.order_history import OrderHistory
from mmd.exchange.orders import Order, OrderState, SelfTrade
from mmd.exchange.rules import MarketRules

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
        rules: MarketRules,
    ) -> None:
        self.instrument = instrument
        self.rules = rules
        self.book = OrderBook(dictated=dictated)
        self.filters = Filters(instrument, self.rules)
        self.fee_schedule = FeeSchedule(instrument, self.rules.fee_discount)
        self.value = TradeValue(instrument)
        self.stats = MarketStats()
        self.status = instrument.status
        self.trades: deque[PublicTrade] = deque(maxlen=_TRADES_KEPT)
        self.aggregates: deque[AggregateTrade] = deque(maxlen=_TRADES_KEPT)
        self.strangers: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self._accounts = accounts
        self._history = history
        self._assets = [instrument.base, instrument.quote]
        if (
            self.rules.fee_discount is not None
            and self.rules.fee_discount.asset not in self._assets
        ):
            self._assets.append(self.rules.fee_discount.asset)
        self._last_aggregate_id = 0
        self._last_prevented_id = -1

    def reference_ticks(self, now_ns: int) -> int:
        """Price that filters compare with: the 5-minute average, else the mid, else 0."""
        average = self.stats.average_ticks(now_ns)
        if average > 0:
            return average
        bid, ask = self.book.best_bid, self.book.best_ask
        return (bid + ask) // 2 if bid is not None and ask is not None else 0

    def lots_for(self, side: Side, quote_atoms: int) -> int:
        """Lots that a market order can take for an amount of quote, as the book stands."""
        return self.book.lots_for(side, self.value.ticklots(quote_atoms))

    def settle(self, outcomes: list[Outcome], now_ns: int) -> list[ExchangeEvent]:
        """Book what happened in the book; balances are announced once per account, last."""
        events: list[ExchangeEvent] = []
        trades: list[PublicTrade] = []
        touched: dict[str, None] = {}
        for outcome in outcomes:
            if isinstance(outcome, Prevented):
                events += self._settle_prevented(outcome, now_ns)
            else:
                trades.append(self._public(outcome, now_ns))
                events += self._settle_match(outcome, now_ns)
                events.append(trades[-1])
            for order in (outcome.maker, outcome.taker):
                if order is not None:
                    touched[order.account] = None
        aggregates = aggregate(trades, self._last_aggregate_id + 1)
        self._last_aggregate_id += len(aggregates)
        self.aggregates.extend(aggregates)
        events += aggregates
        events += self.balance_changes(touched, now_ns)
        return events

    def balance_changes(self, names: dict[str, None], now_ns: int) -> list[BalanceChange]:
        """One event for each named account, with its balances of what it may trade or pay with here."""
        changes = []
        for name in names:
            account = self._accounts[name]
            account.ts_updated_ns = now_ns
            rows = tuple(
                (a, account.free.get(a, 0), account.locked.get(a, 0)) for a in self._assets
            )
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
        leaves = order.open_lots if order.is_open else 0
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

    def _public(self, match: Match, now_ns: int) -> PublicTrade:
        trade = PublicTrade(
            instrument=self.instrument.id,
            trade_id=match.trade_id,
            price_ticks=match.price_ticks,
            qty_lots=match.qty_lots,
            aggressor=match.aggressor,
            ts_ns=now_ns,
        )
        self.trades.append(trade)
        self.stats.record(trade)
        return trade

    def _settle_match(self, match: Match, now_ns: int) -> list[Execution]:
        sides = ((match.taker, False), (match.maker, True))
        events = [
            self._fill(order, match, now_ns, is_maker=is_maker)
            for order, is_maker in sides
            if order is not None
        ]
        if match.maker is None or match.taker is None:
            known = match.maker if match.maker is not None else match.taker
            if known is not None:
                self._count_stranger(known.side, match)
        return events

    def _fill(self, order: Order, match: Match, now_ns: int, *, is_maker: bool) -> Execution:
        account = self._accounts[order.account]
        quote = self.value.quote_atoms(match.price_ticks * match.qty_lots)
        received = self._exchange_assets(order, match.qty_lots, quote)
        fee = self.fee_schedule.charge(account, received, quote, is_maker=is_maker)
        account.receive(fee.asset, -fee.atoms)
        self.fees[fee.asset] = self.fees.get(fee.asset, 0) + fee.atoms
        order.filled_lots += match.qty_lots
        order.quote_atoms += quote
        self._advance_state(order, now_ns, OrderState.FILLED)
        return self.execution(
            order,
            ExecutionKind.TRADE,
            now_ns,
            last_qty_lots=match.qty_lots,
            last_price_ticks=match.price_ticks,
            last_quote_atoms=quote,
            trade_id=match.trade_id,
            is_maker=is_maker,
            fee_atoms=fee.atoms,
            fee_asset=fee.asset,
        )

    def _exchange_assets(self, order: Order, qty_lots: int, quote_atoms: int) -> Commission:
        """Pay from what the order locked and receive the other asset; returns what was received."""
        account = self._accounts[order.account]
        base_atoms = self.value.base_atoms(qty_lots)
        at = self.instrument
        if order.side == Side.BUY:
            paid, received = quote_atoms, Commission(at.base, base_atoms)
        else:
            paid, received = base_atoms, Commission(at.quote, quote_atoms)
        account.pay_locked(self._pays(order), paid)
        order.locked_atoms -= paid
        account.receive(received.asset, received.atoms)
        return received

    def _advance_state(self, order: Order, now_ns: int, when_done: OrderState) -> None:
        if order.open_lots == 0:
            self.end(order, when_done, now_ns)
        else:
            order.state = OrderState.PARTIALLY_FILLED if order.filled_lots > 0 else OrderState.NEW
            order.ts_updated_ns = now_ns
            self.relock(order)

    def _count_stranger(self, side: Side, match: Match) -> None:
        """Book the background's half of a trade with an account that was on this side."""
        quote = self.value.quote_atoms(match.price_ticks * match.qty_lots)
        base = self.value.base_atoms(match.qty_lots)
        at = self.instrument
        self.strangers[at.quote] = self.strangers.get(at.quote, 0) + side.sign * quote
        self.strangers[at.base] = self.strangers.get(at.base, 0) - side.sign * base

    def _settle_prevented(self, outcome: Prevented, now_ns: int) -> list[Execution]:
        """Book a prevented self-trade; the orders that lost something are reported, the maker first."""
        self._last_prevented_id += 1
        record = PreventedMatch(
            match_id=self._last_prevented_id,
            instrument=self.instrument.id,
            taker=outcome.taker,
            maker=outcome.maker,
            mode=outcome.mode,
            price_ticks=outcome.price_ticks,
            qty_lots=outcome.qty_lots,
            taker_lots=outcome.taker_lots,
            maker_lots=outcome.maker_lots,
            ts_ns=now_ns,
        )
        self._history.record_prevented(record)
        if outcome.mode == SelfTrade.TRANSFER and outcome.taker.account != outcome.maker.account:
            quote = self.value.quote_atoms(outcome.price_ticks * outcome.qty_lots)
            for order in (outcome.maker, outcome.taker):
                self._exchange_assets(order, outcome.qty_lots, quote)
        losses = ((outcome.maker, outcome.maker_lots), (outcome.taker, outcome.taker_lots))
        return [self._lose(order, lots, record, now_ns) for order, lots in losses if lots > 0]

    def _lose(self, order: Order, lots: int, record: PreventedMatch, now_ns: int) -> Execution:
        order.prevented_lots += lots
        order.prevented_id = record.match_id
        self._advance_state(order, now_ns, OrderState.EXPIRED_IN_MATCH)
        return self.execution(
            order,
            ExecutionKind.TRADE_PREVENTION,
            now_ns,
            last_qty_lots=lots,
            last_price_ticks=record.price_ticks,
            expiry=ExpiryReason.SELF_TRADE,
            prevented=record,
        )
