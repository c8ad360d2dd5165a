"""Binance spot's REST calls: signed where needed, typed answers, typed errors."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec import Raw

from adapters.binance_spot.auth import Signer, rest_query, signed_rest_query
from adapters.binance_spot.rejects import venue_error
from adapters.binance_spot.rest_orders import RestCall
from adapters.binance_spot.venue_clock import VenueClock
from adapters.binance_spot.wire import (
    AccountInfo,
    ApiError,
    ApiFrame,
    ExchangeInfo,
    MyTrade,
    OrderReport,
    RestError,
    ServerTime,
    decode,
)
from mmd.core.events import ClockOffset
from mmd.core.ports import Clock
from mmd.errors import CodecError, VenueError, VenueUnreachableError
from mmd.shell.rest import RestClient, RestResponse

T = TypeVar("T")
Params = Sequence[tuple[str, object]]
_OK = 200
_SERVER_ERROR = 500
_ROUND_TRIPS = 3
_SERVER_MS_MAX = 2**63 // 1_000_000
TRADES_PAGE = 1_000


class RestApi:
    """The calls that this adapter makes; without a signer only the public ones."""

    def __init__(
        self,
        client: RestClient,
        clock: Clock,
        venue_clock: VenueClock,
        *,
        api_key: str,
        signer: Signer | None,
        recv_window_ms: int,
    ) -> None:
        """`client` is closed by `close`."""
        self._client = client
        self._clock = clock
        self._venue_clock = venue_clock
        self._signer = signer
        self._headers = {"X-MBX-APIKEY": api_key} if api_key else {}
        self._recv_window_ms = recv_window_ms
        self.on_headers: Callable[[Mapping[str, str]], None] = lambda _: None
        """Sees each answer's headers, for the rate limits in them."""

    async def close(self) -> None:
        """Release the sockets."""
        await self._client.close()

    async def measure_clock(self, venue: str) -> ClockOffset:
        """Best of three round trips to /api/v3/time; also sets the clock that requests are signed by."""
        trips = []
        for _ in range(_ROUND_TRIPS):
            sent_ns = self._clock.monotonic_ns()
            answer = await self._public("/api/v3/time", ())
            received_ns = self._clock.monotonic_ns()
            server_ms = decode(answer, ServerTime, "/api/v3/time").server_time
            if not 0 < server_ms < _SERVER_MS_MAX:
                raise CodecError("/api/v3/time: expected milliseconds since 1970 in 64 bits of ns")
            trips.append((received_ns - sent_ns, sent_ns, received_ns, server_ms))
        _, sent_ns, received_ns, server_ms = min(trips)
        return self._venue_clock.measured(sent_ns, received_ns, server_ms, venue)

    async def exchange_info(self, symbols: Sequence[str]) -> ExchangeInfo:
        """Rules of these symbols, or of all. Raises: VenueError -1121 where the venue has no such symbol."""
        names = ",".join(f'"{symbol}"' for symbol in symbols)
        params = (("symbols", f"[{names}]"),) if symbols else ()
        body = await self._public("/api/v3/exchangeInfo", params)
        return decode(body, ExchangeInfo, "/api/v3/exchangeInfo")

    async def depth(self, symbol: str, levels: int) -> bytes:
        """A book snapshot, undecoded."""
        return await self._public("/api/v3/depth", (("symbol", symbol), ("limit", levels)))

    async def account(self) -> AccountInfo:
        """Balances and permissions."""
        body = await self._signed("GET", "/api/v3/account", ())
        return decode(body, AccountInfo, "/api/v3/account")

    async def open_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """Every working order of the account on a symbol, or on all where it is empty, whoever placed it."""
        params = (("symbol", symbol),) if symbol else ()
        body = await self._signed("GET", "/api/v3/openOrders", params)
        return decode(body, tuple[OrderReport, ...], "/api/v3/openOrders")

    async def cancel(self, symbol: str, client_order_id: str) -> None:
        """Cancel one order. Raises: VenueError with code -2011 where it is not working."""
        params = (("symbol", symbol), ("origClientOrderId", client_order_id))
        await self._signed("DELETE", "/api/v3/order", params)

    async def order(self, symbol: str, venue_order_id: int) -> OrderReport:
        """One order by the venue's id."""
        params = (("symbol", symbol), ("orderId", venue_order_id))
        body = await self._signed("GET", "/api/v3/order", params)
        return decode(body, OrderReport, "/api/v3/order")

    async def trades(self, symbol: str, from_id: int) -> tuple[MyTrade, ...]:
        """Up to 1,000 of the account's trades from an id on."""
        params = (("symbol", symbol), ("fromId", from_id), ("limit", TRADES_PAGE))
        body = await self._signed("GET", "/api/v3/myTrades", params)
        return decode(body, tuple[MyTrade, ...], "/api/v3/myTrades")

    async def newest_trade(self, symbol: str) -> tuple[MyTrade, ...]:
        """The account's latest trade on a symbol, or nothing."""
        params = (("symbol", symbol), ("limit", 1))
        body = await self._signed("GET", "/api/v3/myTrades", params)
        return decode(body, tuple[MyTrade, ...], "/api/v3/myTrades")

    async def trades_of(self, symbol: str, venue_order_id: int) -> tuple[MyTrade, ...]:
        """The trades of one order."""
        params = (("symbol", symbol), ("orderId", venue_order_id))
        body = await self._signed("GET", "/api/v3/myTrades", params)
        return decode(body, tuple[MyTrade, ...], "/api/v3/myTrades")

    async def carry_out(self, call: RestCall) -> ApiFrame:
        """Send an order command; the answer, a refusal too, in the WebSocket API's form.

        Raises:
            HttpRefusedError: turned away for its rate, with nothing done.
            VenueUnreachableError: no answer, so nobody knows what became of it.
            CodecError: an answer that is not JSON.
        """
        response = await self._call(call.method, call.path, call.params)
        if response.status == _OK:
            return ApiFrame(status=_OK, result=Raw(response.body))
        try:
            error = decode(response.body, ApiError, call.path)
        except CodecError:
            if response.status >= _SERVER_ERROR:
                return ApiFrame(status=response.status)
            raise
        return ApiFrame(status=response.status, error=error)

    async def _public(self, path: str, params: Params) -> bytes:
        response = await self._client.call("GET", path, rest_query(params))
        self.on_headers(response.headers)
        return self._judged(response, path)

    async def _signed(self, method: str, path: str, params: Params) -> bytes:
        return self._judged(await self._call(method, path, params), path)

    async def _call(self, method: str, path: str, params: Params) -> RestResponse:
        assert self._signer is not None, "a signed call needs a key; observe mode has none"
        stamp = (("recvWindow", self._recv_window_ms), ("timestamp", self._venue_clock.now_ms()))
        query = signed_rest_query((*params, *stamp), self._signer)
        response = await self._client.call(method, path, query, self._headers)
        self.on_headers(response.headers)
        return response

    def _judged(self, response: RestResponse, path: str) -> bytes:
        """The body of an answer, unless it is a refusal."""
        if response.status == _OK:
            return response.body
        if response.status >= _SERVER_ERROR:
            raise VenueUnreachableError(
                f"{path}: the venue has an internal error, HTTP {response.status}"
            )
        try:
            error = decode(response.body, RestError, path)
        except CodecError:
            raise VenueError(
                f"{path}: refused with HTTP {response.status}", response.status
            ) from None
        raise venue_error(error.code, error.msg, path, self._venue_clock.offset_ms)
