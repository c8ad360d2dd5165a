"""The private side: answers to commands, account events, and REST answers, through the real session and client."""

from collections.abc import Callable, Coroutine
from typing import Any

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.api_session import ApiSession, PrivateCodec
from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.instruments import instruments_of
from adapters.binance_spot.order_codec import OrderEncoder
from adapters.binance_spot.order_replies import ReplyDecoder
from adapters.binance_spot.rate_usage import RateUsageReports
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.unknown_events import UnknownEvents
from adapters.binance_spot.user_data import UserDataDecoder
from adapters.binance_spot.venue_clock import VenueClock
from adapters.binance_spot.wire import CommissionRates
from mmd.core.commands import AmendOrder, CancelOrder, PlaceOrder, QueryOrder, ReplaceOrder
from mmd.core.events import Event, Fill
from mmd.core.units import InstrumentId, Side, TimeInForce, client_order_id
from mmd.errors import MmdError
from mmd.shell.clock import SystemClock
from mmd.shell.rest import RestResponse
from tests.session import instrument
from tests.unit.adapters.binance_spot.documented import of

_OURS, _NEXT = client_order_id(5, 1), client_order_id(5, 2)
_ME = InstrumentId(0)
_NEW = (Side.SELL, 10_000, 500, TimeInForce.GTC)
_COMMANDS = (
    PlaceOrder(_ME, _OURS, *_NEW),
    CancelOrder(_ME, _OURS),
    ReplaceOrder(_ME, _OURS, _NEXT, *_NEW),
    AmendOrder(_ME, _OURS, 5),
    QueryOrder(_ME, _OURS),
)
_ANSWER_MAX = 3_000
_REFUSED = "refused"


def _documented(document: str, *sections: str) -> tuple[bytes, ...]:
    """The venue's own examples, made ours where they name an order."""
    found = (m.body for m in of(document, *sections) if len(m.body) < _ANSWER_MAX)
    return tuple(
        body.replace(b"mUvoqJxFIILMdfAW5iGSOW", b"mmd5-1").replace(b'"ETHBTC"', b'"MMDUSDT"')
        for body in found
    )


_RULES = (
    b'{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}],'
    b'"symbols":[{"symbol":"MMDUSDT","status":"TRADING","baseAsset":"MMD","quoteAsset":"USDT",'
    b'"baseAssetPrecision":8,"quoteAssetPrecision":8,"orderTypes":["LIMIT","LIMIT_MAKER","MARKET"],'
    b'"isSpotTradingAllowed":true,"cancelReplaceAllowed":true,"amendAllowed":true,"filters":['
    b'{"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},'
    b'{"filterType":"LOT_SIZE","minQty":"0.00100000","maxQty":"9000.00000000","stepSize":"0.00100000"},'
    b'{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true}]}]}'
)


class _SessionTarget:
    """Feeds a WebSocket API session whose user data flows and that waits for an answer to one of each command."""

    def __init__(self) -> None:
        at = [instrument()]
        self._account = AccountState([_ME])
        self._codec = PrivateCodec(
            encoder=OrderEncoder(at, "key", HmacSigner("secret"), 2_000),
            replies=ReplyDecoder(at),
            user_data=UserDataDecoder("test", at, self._account),
            account=self._account,
            usage=RateUsageReports("test"),
            unknown=UnknownEvents(lambda _, __: None),
        )
        self._events: list[Event] = []
        self._renew()

    def _renew(self) -> None:
        self._session = ApiSession(
            self._codec, lambda _: None, self._events.append, lambda: 1_000, 10**9
        )
        self._session.start(0)
        self._session.subscribed = True
        for number, command in enumerate(_COMMANDS):
            self._session.send(command, number)

    def check(self, frame: bytes) -> str:
        """What came of it: events, or a typed error. Every Fill that comes is one that could be."""
        self._events.clear()
        waiting = self._session.in_flight
        try:
            self._session.on_frame(frame, 1)
        except MmdError:
            return _REFUSED
        finally:
            if self._session.in_flight != waiting or self._session.retry_ns > 0:
                self._renew()
        for event in self._events:
            if isinstance(event, Fill):
                assert event.qty_lots > 0, event
                assert event.price_ticks > 0, event
        return "read" if self._events else "nothing to tell"


class UserDataTarget(_SessionTarget):
    """Events of the account."""

    name = "user data"
    seeds = _documented("user-data-stream.md")


class ReplyTarget(_SessionTarget):
    """Answers to placing, cancelling, replacing, amending, asking."""

    name = "order replies"
    seeds = tuple(
        body.replace(b'"id":', b'"id":%d,"was":' % number, 1)
        for body in _documented("web-socket-api.md")
        if b'"status":' in body
        for number in range(1, len(_COMMANDS) + 2)
    )


class _Answers:
    """Stands where the socket would be: gives the answer that the fuzzer made."""

    def __init__(self) -> None:
        self.next = RestResponse(200, {}, b"")

    async def call(self, *_: object, **__: object) -> RestResponse:
        return self.next


def _now(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise AssertionError("it waited for something")


class RestTarget:
    """Answers over REST: account, open orders, trades, an order, the time; and refusals."""

    name = "REST replies"
    seeds = (*_documented("rest-api.md"), b'{"code":-1021,"msg":"Timestamp"}', b"<html>", b"")

    def __init__(self) -> None:
        clock = SystemClock()
        self._answers = _Answers()
        self._api = RestApi(
            self._answers,  # type: ignore[arg-type]
            clock,
            VenueClock(clock),
            api_key="k",
            signer=HmacSigner("s"),
            recv_window_ms=2_000,
        )
        api = self._api
        self._calls: tuple[Callable[[], Coroutine[Any, Any, Any]], ...] = (
            api.account,
            lambda: api.open_orders("MMDUSDT"),
            lambda: api.trades("MMDUSDT", 1),
            lambda: api.order("MMDUSDT", 1),
            lambda: api.measure_clock("test"),
            lambda: api.cancel("MMDUSDT", "mmd5-1"),
        )
        self._at = 0

    def check(self, frame: bytes) -> str:
        """Asked for by one call after the other, with status 200 or another."""
        self._at += 1
        status = (200, 200, 200, 400, 503)[self._at % 5]
        self._answers.next = RestResponse(status, {}, frame)
        try:
            _now(self._calls[self._at % len(self._calls)]())
        except MmdError:
            return _REFUSED
        return "read"


class ExchangeInfoTarget:
    """The venue's rules, up to the instruments made of them."""

    name = "exchangeInfo"
    seeds = (_RULES,)

    def __init__(self) -> None:
        clock, self._answers = SystemClock(), _Answers()
        self._api = RestApi(
            self._answers,  # type: ignore[arg-type]
            clock,
            VenueClock(clock),
            api_key="",
            signer=None,
            recv_window_ms=2_000,
        )

    def check(self, frame: bytes) -> str:
        """Read and made into instruments, or refused."""
        self._answers.next = RestResponse(200, {}, frame)
        try:
            info = _now(self._api.exchange_info(("MMDUSDT",)))
            (made,) = instruments_of(info, ("MMDUSDT",), "test", 0, CommissionRates())
        except MmdError:
            return _REFUSED
        assert made.tick_size > 0, made
        assert made.lot_size > 0, made
        return "read"
