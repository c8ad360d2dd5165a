"""What a signed client may do with orders, whichever transport it uses: place, cancel, replace, amend."""

from typing import Any

from adapters.binance_spot.sandbox_errors import REJECT_REASONS, ApiError, amend_error, api_error
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_lookup import Lookup
from adapters.binance_spot.sandbox_numbers import atoms_of_text
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_reports import Json, default_detail
from adapters.binance_spot.sandbox_router import EventRouter
from adapters.binance_spot.sandbox_rules import commission_rates, discount
from mmd.exchange.exchange import OrderRequest
from mmd.exchange.executions import ExchangeEvent, Execution
from mmd.exchange.orders import Order, OrderState, OrderType
from mmd.exchange.refusals import Refusal, Refused

_DETAILS = ("ACK", "RESULT", "FULL")
_RESTRICTIONS = {
    "ONLY_NEW": OrderState.NEW,
    "ONLY_PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
}


class Trading:
    """Runs order requests against the exchange and hands what happened to the router.

    Every method takes the account, the parameters and exchange time, and returns the answer's JSON.
    Raises: ApiError, as the venue would answer.
    """

    def __init__(self, lookup: Lookup, limits: RateLimits, router: EventRouter) -> None:
        self._lookup = lookup
        self._exchange = lookup.exchange
        self._reports = lookup.reports
        self._limits = limits
        self._router = router
        self._names = 0

    def test(self, account: str, params: Params, now_ns: int) -> Json:
        """Check a new order without placing it."""
        request = self._request(params, "newClientOrderId")
        try:
            self._exchange.validate(account, request, now_ns)
        except Refused as refused:
            if refused.reason != Refusal.WOULD_TAKE:  # only the matching engine knows that
                raise api_error(refused.reason) from None
        if not params.is_true("computeCommissionRates"):
            return {}
        market = self._exchange.markets[request.instrument]
        rates = commission_rates(market.fee_schedule)
        none = {"maker": "0.00000000", "taker": "0.00000000"}
        return {
            "standardCommissionForOrder": {k: rates[k] for k in none},
            "specialCommissionForOrder": none,
            "taxCommissionForOrder": none,
            "discount": discount(market),
        }

    def place(self, account: str, params: Params, now_ns: int) -> Json:
        """Place a new order."""
        request = self._request(params, "newClientOrderId")
        detail = params.choice("newOrderRespType", _DETAILS, default_detail(request.type))
        self._limits.count_order(now_ns)
        try:
            order, events = self._exchange.place(account, request, now_ns)
        except Refused as refused:
            raise api_error(refused.reason) from None
        return self._placed(order, events, detail)

    def cancel(self, account: str, params: Params, now_ns: int) -> Json:
        """Cancel one order."""
        market = self._lookup.market(params)
        order_id, name = _identity(params, "orderId", "origClientOrderId")
        request_id = params.client_order_id("newClientOrderId") or self._new_name()
        try:
            order, events = self._exchange.cancel(
                account,
                market.instrument.id,
                order_id,
                name,
                now_ns,
                request_id=request_id,
                only_state=_restriction(params),
            )
        except Refused as refused:
            raise api_error(refused.reason) from None
        self._router.publish(events)
        return self._reports[order.instrument].canceled(order, request_id)

    def cancel_all(self, account: str, params: Params, now_ns: int) -> list[Json]:
        """Cancel every open order of a symbol."""
        market = self._lookup.market(params)
        request_id = self._new_name()
        try:
            orders, events = self._exchange.cancel_all(
                account, market.instrument.id, now_ns, request_id=request_id
            )
        except Refused as refused:
            raise api_error(refused.reason) from None
        self._router.publish(events)
        return [self._reports[o.instrument].canceled(o, request_id) for o in orders]

    def amend(self, account: str, params: Params, now_ns: int) -> Json:
        """Shrink an order, keeping its place in the queue."""
        market = self._lookup.market(params)
        at = market.instrument.id
        order_id, name = _identity(params, "orderId", "origClientOrderId")
        qty_lots = self._reports[at].numbers.lots(params.text("newQty"), "newQty")
        new_name = params.client_order_id("newClientOrderId") or self._new_name()
        try:
            order, execution, events = self._exchange.amend(
                account, at, order_id, name, qty_lots, now_ns, new_client_order_id=new_name
            )
        except Refused as refused:
            raise amend_error(refused.reason) from None
        self._router.publish(events)
        return self._reports[at].amended(order, execution)

    def cancel_replace(self, account: str, params: Params, now_ns: int) -> Json:
        """Cancel an order and place another.

        Filters and counts are checked before anything is done; the cancel then precedes the new order.
        """
        request = self._request(params, "newClientOrderId")
        mode = params.choice("cancelReplaceMode", ("STOP_ON_FAILURE", "ALLOW_FAILURE"), None)
        detail = params.choice("newOrderRespType", _DETAILS, default_detail(request.type))
        order_id, name = _identity(params, "cancelOrderId", "cancelOrigClientOrderId")
        request_id = params.client_order_id("cancelNewClientOrderId") or self._new_name()
        try:
            self._exchange.check_filters(account, request, now_ns)
        except Refused as refused:
            raise api_error(refused.reason) from None
        self._limits.count_order(now_ns)
        cancel_error: ApiError | None = None
        cancel_answer: Json
        try:
            order, events = self._exchange.cancel(
                account,
                request.instrument,
                order_id,
                name,
                now_ns,
                request_id=request_id,
                only_state=_restriction(params),
            )
            cancel_answer = self._reports[request.instrument].canceled(order, request_id)
            self._router.publish(events)
        except Refused as refused:
            cancel_error = api_error(refused.reason)
            cancel_answer = cancel_error.body()
            if mode == "STOP_ON_FAILURE":
                raise _replace_error(cancel_answer, None, cancel_ok=False) from None
        return self._then_place(account, request, now_ns, detail, cancel_answer, cancel_error)

    def _then_place(
        self,
        account: str,
        request: OrderRequest,
        now_ns: int,
        detail: str,
        cancel_answer: Json,
        cancel_error: ApiError | None,
    ) -> Json:
        try:
            order, events = self._exchange.place(account, request, now_ns)
        except Refused as refused:
            refusal = api_error(refused.reason).body()
            if cancel_error is None:
                rejected = self._exchange.reject(account, request, now_ns)
                self._router.publish([rejected], REJECT_REASONS.get(refused.reason, "NONE"))
            raise _replace_error(cancel_answer, refusal, cancel_ok=cancel_error is None) from None
        placed = self._placed(order, events, detail)
        if cancel_error is not None:
            raise _replace_error(cancel_answer, placed, cancel_ok=False, new_ok=True)
        return {
            "cancelResult": "SUCCESS",
            "newOrderResult": "SUCCESS",
            "cancelResponse": cancel_answer,
            "newOrderResponse": placed,
        }

    def _placed(self, order: Order, events: list[ExchangeEvent], detail: str) -> Json:
        self._router.publish(events)
        executions = [e for e in events if isinstance(e, Execution)]
        own = [e for e in executions if e.order is order or e.prevented is not None]
        return self._reports[order.instrument].placed(order, own, detail)

    def _request(self, params: Params, name_param: str) -> OrderRequest:
        market = self._lookup.market(params)
        numbers = self._reports[market.instrument.id].numbers
        side = params.side()
        order_type = params.order_type()
        tif = params.tif(order_type)
        is_market = order_type == OrderType.MARKET
        if params.optional("icebergQty") is not None:
            raise ApiError(-2010, "Iceberg orders are not supported for this symbol.")
        quote_text = params.optional("quoteOrderQty")
        if is_market and params.optional("price") is not None:
            raise ApiError(-1106, "Parameter 'price' sent when not required.")
        if quote_text is not None and (not is_market or params.optional("quantity") is not None):
            raise ApiError(-1106, "Parameter 'quoteOrderQty' sent when not required.")
        return OrderRequest(
            instrument=market.instrument.id,
            client_order_id=params.client_order_id(name_param) or self._new_name(),
            side=side,
            type=order_type,
            qty_lots=0 if quote_text is not None else numbers.lots(params.text("quantity")),
            quote_atoms=0 if quote_text is None else atoms_of_text(quote_text, "quoteOrderQty"),
            price_ticks=0 if is_market else numbers.ticks(params.text("price")),
            tif=tif,
            self_trade=params.self_trade(),
        )

    def _new_name(self) -> str:
        """A client order id for a client that gave none."""
        self._names += 1
        return f"auto{self._names:018d}"


def _identity(params: Params, id_name: str, client_name: str) -> tuple[int | None, str | None]:
    order_id, name = params.integer(id_name), params.optional(client_name)
    if order_id is None and name is None:
        raise ApiError(
            -1102, f"Param '{client_name}' or '{id_name}' must be sent, but both were empty/null!"
        )
    return order_id, name


def _restriction(params: Params) -> OrderState | None:
    text = params.optional("cancelRestrictions")
    if text is None:
        return None
    if text not in _RESTRICTIONS:
        raise ApiError(-1145, "Invalid cancelRestrictions")
    return _RESTRICTIONS[text]


def _replace_error(
    cancel: Json, new: Json | None, *, cancel_ok: bool, new_ok: bool = False
) -> ApiError:
    data: dict[str, Any] = {
        "cancelResult": "SUCCESS" if cancel_ok else "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED" if new is None else "SUCCESS" if new_ok else "FAILURE",
        "cancelResponse": cancel,
        "newOrderResponse": new,
    }
    if cancel_ok or new_ok:
        return ApiError(-2021, "Order cancel-replace partially failed.", 409, data)
    return ApiError(-2022, "Order cancel-replace failed.", 400, data)
