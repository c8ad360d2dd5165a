"""User-data events as engine events; whatever concerns an order of somebody else is told apart."""

from collections.abc import Iterator, Sequence

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.decimal_grid import ATOMS, InstrumentGrids, signed_atoms
from adapters.binance_spot.order_ids import NO_ORDER, decode_id
from adapters.binance_spot.rejects import report_reason
from adapters.binance_spot.wire import (
    AccountBalance,
    ExecutionReport,
    MyTrade,
    OutboundAccountPosition,
    side_of,
)
from mmd.core.events import (
    Balance,
    EndReason,
    Event,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
)
from mmd.core.instrument import Instrument
from mmd.core.units import ClientOrderId, InstrumentId, Side
from mmd.errors import CodecError

_NANOS_PER_MS = 1_000_000
_OPEN = frozenset({"NEW", "PENDING_NEW", "PARTIALLY_FILLED", "PENDING_CANCEL"})


class UserDataDecoder:
    """Decodes one account's events and keeps its AccountState current."""

    def __init__(
        self, venue: str, instruments: Sequence[Instrument], account: AccountState
    ) -> None:
        """`venue` is the name that Balance events carry."""
        self._venue = venue
        self._account = account
        self._by_symbol = {i.symbol: InstrumentGrids(i) for i in instruments}
        self._by_id = {grids.instrument: grids for grids in self._by_symbol.values()}

    def execution(self, report: ExecutionReport, ts_ns: int) -> Iterator[Event]:
        """What a report says of an order of ours; of a stranger's order, only its fills (as NO_ORDER).

        Reports on symbols that are not traded here say nothing.

        Raises:
            CodecError: an execution type outside the documents, or a number off the grid.
        """
        grids = self._by_symbol.get(report.symbol)
        if grids is None:
            return
        # A cancel's report carries the cancel's own id in c, and the order's in C; others only c.
        order_id = decode_id(report.orig_client_order_id or report.client_order_id)
        if order_id is None:
            is_open = report.status in _OPEN
            self._account.saw_foreign(grids.instrument, report.order_id, is_open=is_open)
            if report.execution_type == "TRADE":
                yield self._fill(grids, NO_ORDER, report, ts_ns)
            return
        self._account.remember(report.order_id, order_id)
        yield from self._own(grids, order_id, report, ts_ns)

    def balances(self, event: OutboundAccountPosition, ts_ns: int) -> Iterator[Event]:
        """The assets that an account position names."""
        self._account.updated_ms = max(self._account.updated_ms, event.updated_ms)
        for entry in event.balances:
            yield self.balance(AccountBalance(entry.asset, entry.free, entry.locked), ts_ns)

    def balance(self, entry: AccountBalance, ts_ns: int) -> Balance:
        """One asset's holdings. Raises: CodecError."""
        free, locked = ATOMS.units(entry.free), ATOMS.units(entry.locked)
        return Balance(ts_ns, self._venue, entry.asset, free, locked)

    def trade(
        self, instrument: InstrumentId, order_id: ClientOrderId, trade: MyTrade, ts_ns: int
    ) -> Fill:
        """A trade from the account's history as a fill. Raises: CodecError."""
        grids = self._by_id[instrument]
        return Fill(
            ts_ns,
            instrument,
            order_id,
            trade.order_id,
            trade.id,
            Side.BUY if trade.is_buyer else Side.SELL,
            grids.ticks.units(trade.price),
            grids.lots.units(trade.qty),
            trade.is_maker,
            signed_atoms(trade.commission),
            trade.commission_asset,
            trade.time * _NANOS_PER_MS,
        )

    def _own(
        self, grids: InstrumentGrids, order_id: ClientOrderId, report: ExecutionReport, ts_ns: int
    ) -> Iterator[Event]:
        at_ns = report.transact_ms * _NANOS_PER_MS
        match report.execution_type:
            case "TRADE":
                yield self._fill(grids, order_id, report, ts_ns)
            case "NEW":
                yield OrderAccepted(ts_ns, grids.instrument, order_id, report.order_id, at_ns)
            case "CANCELED":
                yield _ended(grids, order_id, report, EndReason.CANCELED, ts_ns)
            case "EXPIRED" | "TRADE_PREVENTION" if report.status not in _OPEN:
                by_self = report.execution_type != "EXPIRED" or report.status == "EXPIRED_IN_MATCH"
                reason = EndReason.SELF_TRADE if by_self else EndReason.EXPIRED
                yield _ended(grids, order_id, report, reason, ts_ns)
            case "REPLACED" | "TRADE_PREVENTION":
                yield _status(grids, order_id, report, ts_ns)
            case "REJECTED":
                why = report.reject_reason
                yield OrderRejected(ts_ns, grids.instrument, order_id, report_reason(why), 0, why)
            case other:
                raise CodecError(
                    f"executionReport of {report.symbol}: unknown execution type {other!r}"
                )

    def _fill(
        self, grids: InstrumentGrids, order_id: ClientOrderId, report: ExecutionReport, ts_ns: int
    ) -> Fill:
        self._account.saw_live_trade(grids.instrument, report.trade_id)
        return Fill(
            ts_ns,
            grids.instrument,
            order_id,
            report.order_id,
            report.trade_id,
            side_of(report.side, "executionReport"),
            grids.ticks.units(report.last_price),
            grids.lots.units(report.last_qty),
            report.is_maker,
            signed_atoms(report.commission),
            report.commission_asset or "",
            report.transact_ms * _NANOS_PER_MS,
        )


def _ended(
    grids: InstrumentGrids,
    order_id: ClientOrderId,
    report: ExecutionReport,
    reason: EndReason,
    ts_ns: int,
) -> OrderEnded:
    filled_lots = grids.lots.units(report.filled_qty)
    at_ns = report.transact_ms * _NANOS_PER_MS
    return OrderEnded(ts_ns, grids.instrument, order_id, reason, filled_lots, at_ns)


def _status(
    grids: InstrumentGrids, order_id: ClientOrderId, report: ExecutionReport, ts_ns: int
) -> OrderStatus:
    """An order that lives on with another quantity: after an amend."""
    return OrderStatus(
        ts_ns,
        grids.instrument,
        order_id,
        known=True,
        open=report.status in _OPEN,
        venue_order_id=report.order_id,
        side=side_of(report.side, "executionReport"),
        price_ticks=grids.ticks.units(report.price),
        qty_lots=grids.lots.units(report.qty),
        filled_lots=grids.lots.units(report.filled_qty),
    )
