"""Our working orders over REST alone: for the guardian, which has a session of its own and loads no compiler."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.binance_spot.credentials import signer_of
from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.rejects import CANCEL_REJECTED
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.venue_clock import VenueClock
from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import AuthError, VenueError
from mmd.guardian.sweep import OwnOrder
from mmd.shell.rest import RestClient

_ALL_WEIGHT: Final = 80
_SYMBOL_WEIGHT: Final = 6
"""Of openOrders, without and with a symbol. Source: rest-api.md, "Current open orders"."""
_CANCEL_WEIGHT: Final = 1
_CLOCK_AGE_NS: Final = 60 * NANOS_PER_SECOND


class BinanceSpotOwnOrders:
    """Implements `mmd.guardian.sweep.OwnOrders`; every request waits for its place in the share of the rate limit."""

    def __init__(
        self, name: str, settings: BinanceSpotSettings, clock: Clock, weight_per_minute: int
    ) -> None:
        """Nothing is opened yet. Raises: ConfigError if the key cannot be used."""
        self._name = name
        self._settings = settings
        self._clock = clock
        self._venue_clock = VenueClock(clock)
        signer = signer_of(settings, name)
        self._api = RestApi(
            RestClient(settings.rest_url, clock, timeout_s=settings.connect_timeout_s),
            clock,
            self._venue_clock,
            api_key=settings.api_key.get_secret_value(),
            signer=signer,
            recv_window_ms=settings.recv_window_ms,
        )
        self._share = _WeightShare(weight_per_minute, clock)
        self._measured_ns: int | None = None

    @property
    def name(self) -> str:
        """The key under which it is configured."""
        return self._name

    @property
    def straggle_s(self) -> float:
        """The receive window."""
        return self._settings.recv_window_ms / 1e3

    async def working(self) -> Sequence[OwnOrder]:
        """Those of the configured instruments, or of all where none are named. Raises: VenueError."""
        await self._compare_clocks()
        symbols = self._settings.instruments
        if not symbols or len(symbols) * _SYMBOL_WEIGHT > _ALL_WEIGHT:
            symbols = ("",)
        found = []
        for symbol in symbols:
            await self._share.take(_SYMBOL_WEIGHT if symbol else _ALL_WEIGHT)
            try:
                reports = await self._api.open_orders(symbol)
            except AuthError:
                self._measured_ns = None  # the clock may be what is wrong
                raise
            found += [
                OwnOrder(report.symbol or symbol, report.client_order_id)
                for report in reports
                if decode_id(report.client_order_id) is not None
            ]
        return found

    async def cancel(self, order: OwnOrder) -> None:
        """Cancel it by its name. Raises: VenueError unless it is gone already."""
        assert decode_id(order.client_order_id) is not None, "only our own orders are cancelled"
        await self._share.take(_CANCEL_WEIGHT)
        try:
            await self._api.cancel(order.symbol, order.client_order_id)
        except VenueError as error:
            if error.code != CANCEL_REJECTED:  # -2011: filled or gone meanwhile
                raise

    async def keep_ready(self) -> None:
        """Measure the clock again and keep the connection open, so that no time is lost. Raises: VenueError."""
        self._measured_ns = None
        await self._compare_clocks()

    async def close(self) -> None:
        """Release the sockets."""
        await self._api.close()

    async def _compare_clocks(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._measured_ns is None or now_ns - self._measured_ns > _CLOCK_AGE_NS:
            await self._api.measure_clock(self._name)
            self._measured_ns = now_ns


class _WeightShare:
    """Request weight that comes back evenly; a minute's share may be used at once."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_ns = per_minute / (60 * NANOS_PER_SECOND)
        self._most = self._left = float(per_minute)
        self._clock = clock
        self._at_ns = clock.monotonic_ns()

    async def take(self, weight: int) -> None:
        """Wait until it is there."""
        now_ns = self._clock.monotonic_ns()
        self._left = min(self._most, self._left + (now_ns - self._at_ns) * self._per_ns)
        self._at_ns = now_ns
        self._left -= weight
        if self._left < 0.0:
            await asyncio.sleep(-self._left / self._per_ns / NANOS_PER_SECOND)


def own_orders(
    name: str,
    fields: Mapping[str, object],
    environment: str,
    clock: Clock,
    weight_per_minute: int,
) -> BinanceSpotOwnOrders:
    """As the registry makes it. Raises: pydantic.ValidationError, ConfigError."""
    settings = BinanceSpotSettings.model_validate(fields, context={"environment": environment})
    return BinanceSpotOwnOrders(name, settings, clock, weight_per_minute)
