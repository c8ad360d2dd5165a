"""Watches one instrument of a replayed engine and keeps its fills, orders, quote states and samples.

Everything is observed after the engine has applied it; nothing is computed a second time that the engine knows.
Memory grows with fills, orders, changes of state and samples, never with market data.
"""

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any, Final

from mmd.analytics.columns import (
    DISTANCES_TICKS,
    FILL,
    ORDER,
    SAMPLE,
    STATE,
    Ints,
    Rows,
)
from mmd.analytics.mids_ahead import MidsAhead
from mmd.core.events import Fill, OrderAccepted
from mmd.core.flow.markout import HORIZONS
from mmd.core.inventory.money import Money
from mmd.core.maker import Maker
from mmd.core.orders.order_update import OrderEvent
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND, Side

_UNKNOWN_YET: Final = (0,) * HORIZONS
_LEVEL_UNKNOWN: Final = -1
_BUY: Final = Side.BUY
_NO_MONEY: Final = (0.0,) * 8
STEP_NS: Final = NANOS_PER_SECOND
SAMPLES_MAX: Final = 100_000
"""A day of seconds; a longer session is sampled every 2 s, 4 s and so on, so that memory has a bound."""


class Recorder:
    """One instrument's tables; times are the engine's.

    Attributes:
        fills, orders, samples, states: see mmd.analytics.columns.
        sample_due_ns: the first decision from here on is sampled.
        step_ns: how far samples are apart.
    """

    def __init__(self, maker: Maker, samples_max: int = SAMPLES_MAX) -> None:
        """Watch a maker; samples are taken at the first decision of each step."""
        self.fills, self.orders = Rows(FILL), Rows(ORDER)
        self.samples, self.states = Rows(SAMPLE), Rows(STATE)
        self._maker = maker
        self._money = Money(maker.instrument)
        self.step_ns = STEP_NS
        self._samples_max = samples_max
        self.sample_due_ns = 0
        self._sent = 0
        self._fill_count = 0
        self._fee_units = 0
        self._state: tuple[int, int] | None = None
        self._ahead = MidsAhead(self.fills, self.samples)
        self._priced: tuple[int, int] | None = None
        self._amounts: tuple[float, ...] = _NO_MONEY

    def on_decision(self, now_ns: int) -> None:
        """The engine has decided, and all that it wanted was sent."""
        maker = self._maker
        mid_half_ticks = maker.view.mid_half_ticks
        if mid_half_ticks > 0:
            self._ahead.on_mid(mid_half_ticks, now_ns)
        if maker.counts.sent > self._sent:
            self._sent = maker.counts.sent
            self.on_new_orders()
        state = (int(maker.state), int(maker.reason))
        if state != self._state:
            self._state = state
            self.states.append((now_ns, *state))
        if now_ns >= self.sample_due_ns and mid_half_ticks > 0:
            self.sample(now_ns)

    @property
    def samples_left(self) -> int:
        """How many more until every other one goes."""
        return self._samples_max - self.samples.count

    def on_decisions(self, log: Ints, bring_to: Callable[[int], None]) -> None:
        """Decisions that changed no state, all that was decided since the last call about any.

        Args:
            log: shape (n, 8): engine time, mid in half ticks, best bid and ask in ticks, whether to sample (1 or 0), how
                many things had happened to our orders, our best bid and ask in ticks (0 = none).
            bring_to: books so many of those things, on our orders and here.
        """
        rows = log[log[:, 4] == 1]
        if len(rows) > 0:
            self._on_samples(rows, bring_to)
        self._ahead.on_mids(log[:, 1].tolist(), log[:, 0].tolist())

    def _on_samples(self, rows: Ints, bring_to: Callable[[int], None]) -> None:
        """Those of a log that are to be sampled."""
        changes = (rows[1:, 1:] != rows[:-1, 1:]).any(axis=1).nonzero()[0] + 1
        for first, last in pairwise([0, *changes.tolist(), len(rows)]):
            _, mid_half_ticks, bid_ticks, ask_ticks, _, happened, *best_ticks = rows[first].tolist()
            bring_to(happened)
            self.samples.extend(
                self._sampled(mid_half_ticks, bid_ticks, ask_ticks, *best_ticks),
                rows[first:last, 0],
            )
        self._follow_sample(int(rows[-1, 0]))

    def on_order(self, event: OrderEvent, now_ns: int) -> None:
        """The engine has applied an event about one of our orders."""
        row = self._row_of(event.client_order_id)
        if isinstance(event, Fill) and self._maker.ledger.fill_count > self._fill_count:
            self._fill_count = self._maker.ledger.fill_count
            if self._maker.ledger.pnl is None:
                self._pass_over(event)
            else:
                self._take_fill(event, row, now_ns)
        if row is None:
            return
        order = self.orders.table[row]
        if isinstance(event, OrderAccepted) and order["accepted_ns"] == 0:
            order["accepted_ns"] = now_ns
        held = self._maker.orders.get(event.client_order_id)
        if order["ended_ns"] == 0 and held is not None and not held.is_open:
            order["ended_ns"] = now_ns

    def sample(self, now_ns: int) -> None:
        """Keep what there is now; at samples_max every other sample goes and the step doubles."""
        view = self._maker.view
        best_bid, best_ask = (ticks or 0 for ticks in self._maker.orders.best_price_ticks)
        row = self._sampled(view.mid_half_ticks, view.bid_ticks, view.ask_ticks, best_bid, best_ask)
        self.samples.append((now_ns, *row))
        self._follow_sample(now_ns)

    def settle(self) -> None:
        """Write the mids after fills and samples, as far as they are known; needed before these are read."""
        self._ahead.settle()

    def _follow_sample(self, now_ns: int) -> None:
        if self.samples.count >= self._samples_max:
            self._ahead.halve(self.samples)
            self.step_ns *= 2
        self.sample_due_ns = now_ns - now_ns % self.step_ns + self.step_ns

    def _sampled(
        self, mid_half_ticks: int, bid_ticks: int, ask_ticks: int, best_bid: int, best_ask: int
    ) -> tuple[Any, ...]:
        """A sample of now but for its time, were the market, and our best prices, these."""
        maker, scale = self._maker, self._maker.scale
        limit_lots = 0 if scale is None else scale.position_lots_max
        return (
            mid_half_ticks,
            bid_ticks,
            ask_ticks,
            best_bid,
            best_ask,
            maker.ledger.position_atoms,
            limit_lots * self._money.atoms_per_lot,
            *self._amounts_at(mid_half_ticks),
            _UNKNOWN_YET,
            self._quoted_lots(bid_ticks, ask_ticks),
        )

    def _amounts_at(self, mid_half_ticks: int) -> tuple[float, ...]:
        """Equity and where it came from, were the mid this one.

        Asserts the PnL identity: balances less causes is the integer 0.
        """
        ledger, pnl = self._maker.ledger, self._maker.ledger.pnl
        if pnl is None:
            return _NO_MONEY
        if self._priced != (ledger.changes, mid_half_ticks):
            assert pnl.identity_error == 0, f"PnL identity is off by {pnl.identity_error} units"
            self._priced = ledger.changes, mid_half_ticks
            by = pnl.sources_at(mid_half_ticks)
            units = (
                pnl.total_units_at(mid_half_ticks),
                by.spread_units,
                by.drift_units,
                by.hedging_units,
                by.arbitrage_units,
                by.fee_units - by.rebate_units,
                by.rebate_units,
                by.funding_units,
            )
            self._amounts = tuple(float(self._money.decimal(n)) for n in units)
        return self._amounts

    def unpriced_fees(self) -> dict[str, float]:
        """Commissions that no PnL contains, by asset, because their rate is not known."""
        pnl = self._maker.ledger.pnl
        atoms = {} if pnl is None else pnl.position.unpriced_fee_atoms
        return {asset: n / ATOMS_PER_UNIT for asset, n in atoms.items() if n != 0}

    def on_new_orders(self) -> None:
        """Orders were sent since the last time: ids only grow, and none ends before its decision has."""
        last = int(self.orders.table["client_order_id"][-1]) if self.orders.count > 0 else -1
        for o in self._maker.orders:
            if o.client_order_id > last:
                sign = o.side.sign
                self.orders.append(
                    (
                        o.client_order_id,
                        o.sent_ns,
                        0,
                        0,
                        0,
                        sign,
                        o.price_ticks,
                        o.qty_lots,
                        0,
                        o.level,
                    )
                )

    def _take_fill(self, fill: Fill, row: int | None, now_ns: int) -> None:
        pnl = self._maker.ledger.pnl
        assert pnl is not None, "a fill was booked without accounts"
        fee_units = pnl.attribution.fee_units
        fee = float(self._money.decimal(fee_units - self._fee_units))
        self._fee_units = fee_units
        level = _LEVEL_UNKNOWN
        if row is not None:
            order = self.orders.table[row]
            level = int(order["level"])
            order["filled_lots"] += fill.qty_lots
            if order["first_fill_ns"] == 0:
                order["first_fill_ns"] = now_ns
        self.fills.append(
            (
                now_ns,
                fill.side.sign,
                fill.price_ticks,
                fill.qty_lots,
                fill.is_maker,
                level,
                fee,
                self._maker.view.mid_half_ticks,
                self._distance_ticks(fill.side, fill.price_ticks),
                _UNKNOWN_YET,
            )
        )

    def _pass_over(self, early: Fill) -> None:
        """A fill from before the session: it is in its PnL, and not among the fills by which its quotes are judged."""
        amount, half_ticks = early.fee_atoms, 2 * early.price_ticks
        if early.fee_asset == self._maker.instrument.quote:
            self._fee_units += amount * self._money.per_quote_atom
        elif early.fee_asset == self._maker.instrument.base:
            self._fee_units += self._money.value(amount, half_ticks)

    def _row_of(self, client_order_id: int) -> int | None:
        """The order's row; None for orders of other sessions."""
        ids = self.orders.table["client_order_id"]
        row = int(ids.searchsorted(client_order_id))
        return row if row < len(ids) and ids[row] == client_order_id else None

    def _distance_ticks(self, side: Side, price_ticks: int) -> int:
        view = self._maker.view
        best_ticks = view.bid_ticks if side is Side.BUY else view.ask_ticks
        return max(side.sign * (best_ticks - price_ticks), 0)

    def _quoted_lots(self, bid_ticks: int, ask_ticks: int) -> list[int]:
        """What our orders offer within each distance of the best price of their side."""
        quoted = [0] * len(DISTANCES_TICKS)
        for order in self._maker.orders:
            is_bid = order.side is _BUY
            behind_ticks = (
                bid_ticks - order.price_ticks if is_bid else order.price_ticks - ask_ticks
            )
            quoted[bisect_left(DISTANCES_TICKS, behind_ticks)] += order.leaves_lots
        return list(accumulate(quoted))
