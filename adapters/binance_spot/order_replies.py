"""Answers to commands as events: accepted, ended, refused, or nobody knows."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from adapters.binance_spot.decimal_grid import InstrumentGrids
from adapters.binance_spot.order_ids import NO_ORDER, decode_id
from adapters.binance_spot.rejects import (
    NO_SUCH_ORDER,
    ORDER_ARCHIVED,
    fate_unknown,
    reject_reason,
)
from adapters.binance_spot.wire import (
    AmendResult,
    ApiError,
    ApiFrame,
    CancelReplaceResult,
    OrderReport,
    decode,
    side_of,
)
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.events import (
    CancelRejected,
    EndReason,
    Event,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RejectReason,
    RequestTimedOut,
)
from mmd.core.instrument import Instrument
from mmd.core.units import ClientOrderId, InstrumentId, Side

NANOS_PER_MS = 1_000_000
_OPEN = frozenset({"NEW", "PENDING_NEW", "PARTIALLY_FILLED", "PENDING_CANCEL"})
_SUCCESS = "SUCCESS"


def ids_of(command: Command) -> tuple[ClientOrderId, ...]:
    """The orders whose fate a command decides; NO_ORDER for a CancelAll."""
    match command:
        case ReplaceOrder(cancel_id=old, client_order_id=new):
            return (old, new)
        case CancelAll() | ResyncBook():
            return (NO_ORDER,)
        case PlaceOrder() | CancelOrder() | AmendOrder() | QueryOrder():
            return (command.client_order_id,)
        case _:
            assert_never(command)


def timed_out(command: Command, ts_ns: int) -> Iterator[Event]:
    """Nobody knows what became of a command."""
    for order_id in ids_of(command):
        yield RequestTimedOut(ts_ns, command.instrument, order_id)


def refused(
    command: Command, reason: RejectReason, code: int, message: str, ts_ns: int
) -> Iterator[Event]:
    """A command was turned down before it did anything. A query turned down leaves its order unknown."""
    match command:
        case PlaceOrder(instrument=instrument, client_order_id=order_id):
            yield OrderRejected(ts_ns, instrument, order_id, reason, code, message)
        case ReplaceOrder(instrument=instrument, cancel_id=old, client_order_id=new):
            yield CancelRejected(ts_ns, instrument, old, reason, code, message)
            yield OrderRejected(ts_ns, instrument, new, reason, code, message)
        case CancelOrder() | AmendOrder() | CancelAll():
            order_id = ids_of(command)[0]
            yield CancelRejected(ts_ns, command.instrument, order_id, reason, code, message)
        case QueryOrder():
            yield from timed_out(command, ts_ns)
        case ResyncBook():
            return
        case _:
            assert_never(command)


class ReplyDecoder:
    """Turns the answer to a command into events."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        """Prepare the instruments' grids."""
        self._grids = {i.id: InstrumentGrids(i) for i in instruments}

    def events(self, command: Command, frame: ApiFrame, ts_ns: int) -> Iterator[Event]:
        """What an answer says of its command's orders. Raises: CodecError."""
        if frame.error is not None:
            yield from self._failure(command, frame.status, frame.error, ts_ns)
            return
        if fate_unknown(frame.status, 0):
            yield from timed_out(command, ts_ns)
            return
        body, instrument = frame.result, command.instrument
        match command:
            case PlaceOrder(client_order_id=order_id):
                placed = decode(body, OrderReport, "order.place")
                yield self._accepted(instrument, order_id, placed, ts_ns)
            case CancelOrder(client_order_id=order_id):
                report = decode(body, OrderReport, "order.cancel")
                yield self._ended(instrument, order_id, report, EndReason.CANCELED, ts_ns)
            case ReplaceOrder():
                result = decode(body, CancelReplaceResult, "order.cancelReplace")
                yield from self._legs(command, result, ts_ns)
            case AmendOrder(client_order_id=order_id):
                yield self._amended(
                    instrument, order_id, decode(body, AmendResult, "order.amend"), ts_ns
                )
            case CancelAll():
                reports = decode(body, tuple[OrderReport, ...], "openOrders.cancelAll")
                yield from self._all_ended(instrument, reports, ts_ns)
            case QueryOrder(client_order_id=order_id):
                report = decode(body, OrderReport, "order.status")
                yield self.status(instrument, order_id, report, ts_ns)
            case ResyncBook():
                raise AssertionError("ResyncBook is never sent")
            case _:
                assert_never(command)

    def status(
        self, instrument: InstrumentId, order_id: ClientOrderId, report: OrderReport, ts_ns: int
    ) -> OrderStatus:
        """An order as a query or a list of open orders reports it."""
        grids = self._grids[instrument]
        return OrderStatus(
            ts_ns,
            instrument,
            order_id,
            known=True,
            open=report.status in _OPEN,
            venue_order_id=report.order_id,
            side=side_of(report.side, f"order {report.order_id}"),
            price_ticks=grids.ticks.units(report.price),
            qty_lots=grids.lots.units(report.orig_qty),
            filled_lots=grids.lots.units(report.executed_qty),
        )

    def _failure(
        self, command: Command, status: int, error: ApiError, ts_ns: int
    ) -> Iterator[Event]:
        code, text = error.code, error.msg
        legs = error.data
        if isinstance(command, ReplaceOrder) and legs is not None and legs.cancel_result:
            yield from self._legs(command, legs, ts_ns)
        elif fate_unknown(status, code):
            yield from timed_out(command, ts_ns)
        elif isinstance(command, QueryOrder) and code in (NO_SUCH_ORDER, ORDER_ARCHIVED):
            yield _never_heard_of(command, ts_ns)
        else:
            yield from refused(command, reject_reason(status, code, text), code, text, ts_ns)

    def _legs(
        self, command: ReplaceOrder, result: CancelReplaceResult, ts_ns: int
    ) -> Iterator[Event]:
        """Both halves of a cancelReplace; a new order that was not attempted is refused for the cancel's reason."""
        instrument = command.instrument
        old, new = result.cancel_response or OrderReport(), result.new_order_response
        placed = result.new_order_result == _SUCCESS
        if result.cancel_result == _SUCCESS:
            why = EndReason.REPLACED if placed else EndReason.CANCELED
            yield self._ended(instrument, command.cancel_id, old, why, ts_ns)
        else:
            reason = reject_reason(0, old.code, old.msg)
            yield CancelRejected(ts_ns, instrument, command.cancel_id, reason, old.code, old.msg)
        if placed and new is not None:
            yield self._accepted(instrument, command.client_order_id, new, ts_ns)
        else:
            why_not = new or old
            reason = reject_reason(0, why_not.code, why_not.msg)
            yield OrderRejected(
                ts_ns, instrument, command.client_order_id, reason, why_not.code, why_not.msg
            )

    def _accepted(
        self, instrument: InstrumentId, order_id: ClientOrderId, report: OrderReport, ts_ns: int
    ) -> OrderAccepted:
        ts_event_ns = report.transact_time * NANOS_PER_MS
        return OrderAccepted(ts_ns, instrument, order_id, report.order_id, ts_event_ns)

    def _ended(
        self,
        instrument: InstrumentId,
        order_id: ClientOrderId,
        report: OrderReport,
        reason: EndReason,
        ts_ns: int,
    ) -> OrderEnded:
        filled_lots = self._grids[instrument].lots.units(report.executed_qty)
        return OrderEnded(
            ts_ns, instrument, order_id, reason, filled_lots, report.transact_time * NANOS_PER_MS
        )

    def _amended(
        self, instrument: InstrumentId, order_id: ClientOrderId, result: AmendResult, ts_ns: int
    ) -> OrderStatus:
        order = result.amended_order
        report = OrderReport(
            order_id=order.order_id,
            price=order.price,
            orig_qty=order.qty,
            executed_qty=order.executed_qty,
            status=order.status,
            side=order.side,
        )
        return self.status(instrument, order_id, report, ts_ns)

    def _all_ended(
        self, instrument: InstrumentId, reports: tuple[OrderReport, ...], ts_ns: int
    ) -> Iterator[Event]:
        """Ends of our own orders among those that a cancelAll took back."""
        for report in reports:
            order_id = decode_id(report.orig_client_order_id)
            if order_id is not None:
                yield self._ended(instrument, order_id, report, EndReason.CANCELED, ts_ns)


def _never_heard_of(command: QueryOrder, ts_ns: int) -> OrderStatus:
    return OrderStatus(
        ts_ns,
        command.instrument,
        command.client_order_id,
        known=False,
        open=False,
        venue_order_id=0,
        side=Side.BUY,
        price_ticks=0,
        qty_lots=0,
        filled_lots=0,
    )
