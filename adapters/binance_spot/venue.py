"""A Binance spot venue: instruments, market data, orders and account behind `mmd.core.ports.Venue`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from numpy.random import Generator

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.api_session import PrivateCodec
from adapters.binance_spot.auth import HmacSigner, Signer
from adapters.binance_spot.book_sync import BookSync
from adapters.binance_spot.credentials import signer_of
from adapters.binance_spot.decimal_grid import ATOMS
from adapters.binance_spot.frame_fields import INSTRUMENTS_MAX
from adapters.binance_spot.instruments import instruments_of, unknown_symbols
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.market_link import MarketLink
from adapters.binance_spot.order_codec import OrderEncoder
from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.order_link import OrderLink
from adapters.binance_spot.order_replies import ReplyDecoder
from adapters.binance_spot.rate_usage import RateUsageReports
from adapters.binance_spot.reconcile import Reconciler
from adapters.binance_spot.rehearsal import BinanceSpotStage
from adapters.binance_spot.rejects import BAD_SYMBOL
from adapters.binance_spot.request_template import RequestTemplate
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.rest_fallback import RestFallback
from adapters.binance_spot.rules_watch import RulesWatch
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.unknown_events import UnknownEvents
from adapters.binance_spot.user_data import UserDataDecoder
from adapters.binance_spot.venue_clock import VenueClock
from adapters.binance_spot.wire import CommissionRates, ExchangeInfo
from mmd.core.commands import Approved, Command, ResyncBook
from mmd.core.events import OrderStatus
from mmd.core.instrument import Instrument
from mmd.core.ports import Clock, DeadMansSwitch, EventSink
from mmd.core.trades_told import TradesTold
from mmd.core.units import InstrumentId
from mmd.errors import CodecError, InstrumentError, MmdError, VenueError
from mmd.shell.connect_error import HttpRefusedError
from mmd.shell.rest import RestClient

_log = structlog.get_logger()
_LISTED_MAX = 8
"""A venue that lists more wants its instruments named."""


stage_at = BinanceSpotStage


def compile_kernels(instruments: Sequence[Instrument]) -> None:
    """Compile every kernel that a venue of these instruments uses, or load it from the cache."""
    BookSync(MarketCodec(instruments[:INSTRUMENTS_MAX]).market, lambda _: None, lambda: None)
    RequestTemplate(
        "order.place", {}, HmacSigner("none")
    )  # all kinds of requests share its kernels


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What exists once the instruments are known."""

    instruments: tuple[Instrument, ...]
    market: MarketLink
    account: AccountState
    usage: RateUsageReports
    reconciler: Reconciler
    rules: RulesWatch
    orders: OrderLink | None


class BinanceSpotVenue:
    """One account at Binance spot, connected; `load`, then `run`, then `close`."""

    def __init__(
        self,
        name: str,
        settings: BinanceSpotSettings,
        clock: Clock,
        rng: Generator,
        *,
        first_instrument: int = 0,
    ) -> None:
        """Nothing is opened yet; `rng` spreads reconnects, instruments are numbered from first_instrument."""
        self._name = name
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._first_instrument = first_instrument
        self._venue_clock = VenueClock(clock)
        self._api_key = settings.api_key.get_secret_value()
        self._signer = signer_of(settings, name)
        self._api = RestApi(
            RestClient(settings.rest_url, clock, timeout_s=settings.connect_timeout_s),
            clock,
            self._venue_clock,
            api_key=self._api_key if self._signer is not None else "",
            signer=self._signer,
            recv_window_ms=settings.recv_window_ms,
        )
        self._unknown = UnknownEvents(
            lambda kind, link: _log.warning("unknown_event", venue=name, name=kind, link=link)
        )
        self._loaded: _Loaded | None = None

    @property
    def name(self) -> str:
        """The key under which it is configured."""
        return self._name

    @property
    def is_observing(self) -> bool:
        """Whether there is no key."""
        return self._signer is None

    @property
    def switches(self) -> Sequence[DeadMansSwitch]:
        """None: Binance spot has no switch of its own."""
        return ()

    @property
    def unknown_events(self) -> Mapping[str, int]:
        """Of the one venue that this is."""
        return {self._name: self._unknown.count}

    async def load(self) -> Sequence[Instrument]:
        """Fetch the instruments' rules and, with a key, this account's fees; checks key and clock.

        Raises:
            VenueUnreachableError: nothing answers at rest_url, or its TLS is not trusted.
            AuthError: key, signature or clock refused.
            InstrumentError: a symbol that the venue does not list.
        """
        offset = await self._api.measure_clock(self._name)
        _log.info("venue_clock", venue=self._name, offset_ms=offset.offset_ns / 1e6)
        info = await self._exchange_info()
        fees = CommissionRates()
        if self._signer is not None:
            fees = (await self._api.account()).commission_rates
        symbols = self._settings.instruments or self._listed(info)
        instruments = instruments_of(info, symbols, self._name, self._first_instrument, fees)
        self._loaded = self._assemble(instruments, info)
        return instruments

    async def run(self, sink: EventSink) -> None:
        """Keep every connection alive until cancelled.

        Raises:
            VenueError: a first connection could not be made; later ones are retried.
        """
        loaded = self._require_loaded()
        self._api.on_headers = lambda headers: self._report_usage(headers, sink)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(loaded.market.run(sink))
                group.create_task(self._watch_clock(sink))
                group.create_task(loaded.rules.run(sink))
                if loaded.orders is not None:
                    group.create_task(loaded.orders.run(sink))
        except BaseExceptionGroup as failures:
            raise _first(failures) from failures

    def send(self, command: Approved[Command]) -> None:
        """Write a command to the wire now; what cannot be sent is reported through the sink, soon."""
        wanted = command.command
        loaded = self._require_loaded()
        if isinstance(wanted, ResyncBook):
            loaded.market.resync(wanted.instrument)
        else:
            assert loaded.orders is not None, "orders need a key; this venue only observes"
            loaded.orders.send(wanted)

    async def close(self) -> None:
        """Release what is left when `run` has ended."""
        await self._api.close()

    async def open_orders_ours(self) -> list[OrderStatus]:
        """Our working orders, of this session or another, as the venue lists them. Raises: VenueError."""
        if self._signer is None:
            return []
        loaded = self._require_loaded()
        replies, now_ns = ReplyDecoder(loaded.instruments), self._clock.monotonic_ns()
        statuses = []
        for instrument, order in await loaded.reconciler.own_open_orders():
            order_id = decode_id(order.client_order_id)
            if order_id is not None:
                statuses.append(replies.status(instrument.id, order_id, order, now_ns))
        return statuses

    async def cancel_ours(self) -> None:
        """Take back all of them over REST and see that they are gone. Raises: VenueError."""
        if self._signer is not None:
            await self._require_loaded().reconciler.cancel_own()

    async def balances(self) -> dict[str, tuple[int, int]]:
        """Free and locked atoms by asset, as the venue states them. Raises: VenueError."""
        if self._signer is None:
            return {}
        info = await self._api.account()
        return {b.asset: (ATOMS.units(b.free), ATOMS.units(b.locked)) for b in info.balances}

    def expect_stragglers(self, sent_ns: int) -> None:
        """Have quoting wait until what an earlier process sent has arrived or expired."""
        orders = self._require_loaded().orders
        if orders is not None:
            orders.expect_stragglers(sent_ns)

    def resume_trades(self, told: Mapping[InstrumentId, TradesTold]) -> None:
        """Have the first reconciliation tell what was traded since."""
        account = self._require_loaded().account
        for instrument, trades in told.items():
            account.resume_trades(instrument, trades)

    def _listed(self, info: ExchangeInfo) -> tuple[str, ...]:
        """Every symbol of a venue that has only a few."""
        listed = tuple(s.symbol for s in info.symbols)
        if not 0 < len(listed) <= _LISTED_MAX:
            raise InstrumentError(
                f"{self._name}: expected instruments in the settings, found none, and the venue lists "
                f'{len(listed)}: name those to trade, e.g. instruments = ["BTCUSDT"]'
            )
        return listed

    async def _exchange_info(self) -> ExchangeInfo:
        symbols = self._settings.instruments
        try:
            return await self._api.exchange_info(symbols)
        except VenueError as error:
            if error.code == BAD_SYMBOL:  # the venue does not say which
                raise unknown_symbols(symbols, self._name) from error
            raise

    def _assemble(self, instruments: tuple[Instrument, ...], info: ExchangeInfo) -> _Loaded:
        name, settings, clock = self._name, self._settings, self._clock
        account = AccountState(i.id for i in instruments)
        usage = RateUsageReports(name, info.rate_limits)
        market = MarketLink(name, settings, instruments, self._api, clock, self._rng, self._unknown)
        reconciler = Reconciler(name, instruments, self._api, account, clock)
        orders = None
        if self._signer is not None:
            orders = self._order_link(self._signer, instruments, account, usage, reconciler)
        refused = orders.trading_refused if orders is not None else asyncio.Event()
        rules = RulesWatch(name, instruments, settings.rules_check_s, self._api, clock, refused)
        return _Loaded(instruments, market, account, usage, reconciler, rules, orders)

    def _order_link(
        self,
        signer: Signer,
        instruments: tuple[Instrument, ...],
        account: AccountState,
        usage: RateUsageReports,
        reconciler: Reconciler,
    ) -> OrderLink:
        name, settings, clock = self._name, self._settings, self._clock
        codec = PrivateCodec(
            encoder=OrderEncoder(instruments, self._api_key, signer, settings.recv_window_ms),
            replies=ReplyDecoder(instruments),
            user_data=UserDataDecoder(name, instruments, account),
            account=account,
            usage=usage,
            unknown=self._unknown,
        )
        fallback = RestFallback(
            settings.rest_fallback, instruments, self._api, codec.replies, codec.user_data, clock
        )
        return OrderLink(
            name, settings, codec, reconciler, fallback, self._venue_clock, clock, self._rng
        )

    async def _watch_clock(self, sink: EventSink) -> None:
        """Measure the venue's clock now and again, and at once when it refused a timestamp."""
        loaded = self._require_loaded()
        refused = loaded.orders.clock_refused if loaded.orders is not None else asyncio.Event()
        while True:
            try:
                sink.on_event(await self._api.measure_clock(self._name))
            except (VenueError, CodecError) as error:
                _log.warning("clock_check_failed", venue=self._name, error=str(error))
                await asyncio.sleep(
                    error.retry_after_s if isinstance(error, HttpRefusedError) else 1.0
                )
            refused.clear()
            try:
                async with asyncio.timeout(self._settings.clock_check_s):
                    await refused.wait()
            except TimeoutError:
                continue

    def _report_usage(self, headers: Mapping[str, str], sink: EventSink) -> None:
        for usage in self._require_loaded().usage.from_headers(headers, self._clock.monotonic_ns()):
            sink.on_event(usage)

    def _require_loaded(self) -> _Loaded:
        assert self._loaded is not None, "expected load() before anything else"
        return self._loaded


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure to tell: a bug before an expected one, and one of either kind before its siblings."""
    leaves: list[BaseException] = []
    queue: list[BaseException] = [failures]
    while queue:
        at = queue.pop(0)
        if isinstance(at, BaseExceptionGroup):
            queue += at.exceptions
        else:
            leaves.append(at)
    return min(leaves, key=lambda leaf: isinstance(leaf, MmdError))
