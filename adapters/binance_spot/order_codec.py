"""Commands as WebSocket API requests: one template per instrument, method and variant.

Where the key can log on (Ed25519) only the log-on is signed; otherwise every request is.
Orders ask for newOrderRespType=ACK: the user-data stream on the same connection reports acceptance, fills
(with trade ids) and ends exactly once each, so a fuller answer would only repeat it, later and larger.
Orders that may take carry selfTradePreventionMode=EXPIRE_MAKER: flattening never waits for our own quote.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from adapters.binance_spot.auth import Signer
from adapters.binance_spot.decimal_grid import InstrumentGrids
from adapters.binance_spot.request_template import NO_GRID, Params, RequestTemplate, Slot
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.instrument import Grid, Instrument
from mmd.core.units import InstrumentId, Side, TimeInForce


class OrderEncoder:
    """Encodes every command that goes to the venue, and the signed queries of a session."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        api_key: str,
        signer: Signer,
        recv_window_ms: int,
    ) -> None:
        """Lay out all templates."""
        timed: Params = {"recvWindow": recv_window_ms, "timestamp": Slot.TIMESTAMP}
        signed = _Templates({**timed, "apiKey": api_key}, signer)
        usual = _Templates(timed, None) if signer.can_log_on else signed
        self.logs_on = signer.can_log_on
        """The first request of a connection must be `log_on`."""
        self._log_on = signed.request("session.logon")
        self._subscribe = (
            _Templates({}, None).request("userDataStream.subscribe")
            if signer.can_log_on
            else signed.request("userDataStream.subscribe.signature")
        )
        self._account = usual.request("account.status", omitZeroBalances="false")
        self._requests = {i.id: _InstrumentRequests(i, usual) for i in instruments}
        # Looked up at once: each step of a look-up that is not in the caches costs 0.1 us.
        self._place = {at: requests.place for at, requests in self._requests.items()}
        self._replace = {at: requests.replace for at, requests in self._requests.items()}

    def encode(self, command: Command, request_id: int, timestamp_ms: int) -> bytes:
        """A command's request, signed for the venue time `timestamp_ms`.

        ResyncBook concerns no request and is refused by an assertion.
        """
        if isinstance(command, ReplaceOrder):  # the most frequent first
            template = self._replace[command.instrument][command.tif][command.side]
            size = template.write(
                request_id,
                timestamp_ms,
                command.client_order_id,
                command.cancel_id,
                command.price_ticks,
                command.qty_lots,
            )
            return template.frame[:size].tobytes()
        if isinstance(command, PlaceOrder):
            return self._place[command.instrument][command.tif][command.side].encode(
                request_id,
                timestamp_ms,
                command.client_order_id,
                0,
                command.price_ticks,
                command.qty_lots,
            )
        return self._encode_request(command, request_id, timestamp_ms)

    def _encode_request(self, command: Command, request_id: int, timestamp_ms: int) -> bytes:
        """What is no new order."""
        requests = self._requests[command.instrument]
        match command:
            case CancelOrder(client_order_id=order_id):
                return requests.cancel.encode(request_id, timestamp_ms, order_id)
            case AmendOrder():
                return requests.shrink(command, request_id, timestamp_ms)
            case CancelAll():
                return requests.cancel_all.encode(request_id, timestamp_ms)
            case QueryOrder(client_order_id=order_id):
                return requests.status.encode(request_id, timestamp_ms, order_id)
            case _:
                raise AssertionError("ResyncBook is done by the market-data side, not sent")

    def open_orders(self, instrument: InstrumentId, request_id: int, timestamp_ms: int) -> bytes:
        """Ask for the working orders of an instrument."""
        return self._requests[instrument].open_orders.encode(request_id, timestamp_ms)

    def trades_of(
        self, instrument: InstrumentId, venue_order_id: int, request_id: int, timestamp_ms: int
    ) -> bytes:
        """Ask for the trades of one order."""
        trades = self._requests[instrument].trades
        return trades.encode(request_id, timestamp_ms, old_id=venue_order_id)

    def log_on(self, request_id: int, timestamp_ms: int) -> bytes:
        """Say once who we are, so that nothing else on this connection needs a signature."""
        return self._log_on.encode(request_id, timestamp_ms)

    def subscribe(self, request_id: int, timestamp_ms: int) -> bytes:
        """Ask for user data on this connection."""
        return self._subscribe.encode(request_id, timestamp_ms)

    def account(self, request_id: int, timestamp_ms: int) -> bytes:
        """Ask for all balances."""
        return self._account.encode(request_id, timestamp_ms)


class _Templates(NamedTuple):
    """Parameters that requests share, what signs them, if anything has to, and the instrument's grid."""

    shared: Params
    signer: Signer | None
    grid: Grid = NO_GRID

    def request(self, method: str, **params: str | Slot) -> RequestTemplate:
        return RequestTemplate(method, {**self.shared, **params}, self.signer, self.grid)


class _InstrumentRequests:
    """The templates of one instrument."""

    def __init__(self, instrument: Instrument, templates: _Templates) -> None:
        InstrumentGrids(instrument)  # refuses too many decimals
        shared = {**templates.shared, "symbol": instrument.symbol}
        request = templates._replace(shared=shared, grid=instrument.grid).request
        self.place = _by_variant(lambda order: request("order.place", **order))
        self.replace = _by_variant(
            lambda order: request(
                "order.cancelReplace",
                cancelOrigClientOrderId=Slot.OLD_ID,
                cancelReplaceMode="STOP_ON_FAILURE",
                **order,
            )
        )
        self._amend = request(
            "order.amend.keepPriority",
            newClientOrderId=Slot.ORDER_ID,
            newQty=Slot.QTY,
            origClientOrderId=Slot.ORDER_ID,
        )
        self.cancel = request("order.cancel", origClientOrderId=Slot.ORDER_ID)
        self.status = request("order.status", origClientOrderId=Slot.ORDER_ID)
        self.cancel_all = request("openOrders.cancelAll")
        self.open_orders = request("openOrders.status")
        self.trades = request("myTrades", orderId=Slot.NUMBER)

    def shrink(self, amend: AmendOrder, request_id: int, timestamp_ms: int) -> bytes:
        # The name is sent as the new id too: else the venue invents one.
        return self._amend.encode(
            request_id, timestamp_ms, amend.client_order_id, 0, 0, amend.qty_lots
        )


def _by_variant(
    make: Callable[[dict[str, str | Slot]], RequestTemplate],
) -> tuple[tuple[RequestTemplate, ...], ...]:
    """Requests by time in force, then side."""
    return tuple(tuple(make(_order_params(tif, side)) for side in Side) for tif in TimeInForce)


def _order_params(tif: TimeInForce, side: Side) -> dict[str, str | Slot]:
    """Parameters of a new order; a LIMIT_MAKER never takes, so it needs no self-trade mode."""
    order: dict[str, str | Slot] = {
        "newClientOrderId": Slot.ORDER_ID,
        "newOrderRespType": "ACK",
        "price": Slot.PRICE,
        "quantity": Slot.QTY,
        "side": side.name,
    }
    if tif is TimeInForce.POST_ONLY:
        return order | {"type": "LIMIT_MAKER"}
    return order | {
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "timeInForce": tif.name,
        "type": "LIMIT",
    }
