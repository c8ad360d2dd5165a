"""Watches what may be done with each instrument: its status, and rules that the venue has changed."""

import asyncio
from collections.abc import Sequence

import structlog

from adapters.binance_spot.instruments import GRID_RULES, instruments_of, rule_changes
from adapters.binance_spot.rejects import BAD_SYMBOL
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.wire import CommissionRates, ExchangeInfo
from mmd.core.events import InstrumentStatus
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.ports import Clock, EventSink
from mmd.errors import CodecError, InstrumentError, VenueError

_SOONEST_S = 2.0
"""exchangeInfo costs 20 weight: however often it is asked for, it is read no more often than this."""
_log = structlog.get_logger()


class RulesWatch:
    """Reads exchangeInfo now and again, and reports what is no longer as it was loaded."""

    def __init__(
        self,
        venue: str,
        instruments: Sequence[Instrument],
        period_s: float,
        api: RestApi,
        clock: Clock,
        asked: asyncio.Event,
    ) -> None:
        """`instruments` as loaded. Nothing is fetched before `run`.

        Setting `asked` has the rules read soon, as after an order was refused because trading is closed.
        """
        self._venue = venue
        self._instruments = instruments
        self._period_s = period_s
        self._api = api
        self._clock = clock
        self._told = {i.id: (i.status, "") for i in instruments}
        self._asked = asked

    async def run(self, sink: EventSink) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(min(_SOONEST_S, self._period_s))
            try:
                async with asyncio.timeout(max(0.0, self._period_s - _SOONEST_S)):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            try:
                await self._look(sink)
            except (VenueError, CodecError) as error:
                _log.warning("rules_check_failed", venue=self._venue, error=str(error))

    async def _look(self, sink: EventSink) -> None:
        symbols = [i.symbol for i in self._instruments]
        try:
            infos = [await self._api.exchange_info(symbols)]
        except VenueError as error:
            if error.code != BAD_SYMBOL:
                raise
            infos = await self._one_by_one(
                symbols
            )  # one of them is gone, and the venue does not say which
        listed = ExchangeInfo(tuple(symbol for info in infos for symbol in info.symbols))
        for instrument in self._instruments:
            self._compare(instrument, listed, sink)

    async def _one_by_one(self, symbols: Sequence[str]) -> list[ExchangeInfo]:
        infos = []
        for symbol in symbols:
            try:
                infos.append(await self._api.exchange_info([symbol]))
            except VenueError as error:
                if error.code != BAD_SYMBOL:
                    raise
        return infos

    def _compare(self, instrument: Instrument, listed: ExchangeInfo, sink: EventSink) -> None:
        """Tell what has changed since it was last told: once each time, not at each look."""
        try:
            (now,) = instruments_of(
                listed, [instrument.symbol], self._venue, instrument.id, CommissionRates()
            )
        except InstrumentError as error:
            told = TradingStatus.HALTED, str(error)
        else:
            changes = rule_changes(instrument, now)
            told = now.status, ", ".join(f"{name} {change}" for name, change in changes.items())
            if changes.keys() & set(
                GRID_RULES
            ):  # every price and size that we hold has lost its meaning
                told = TradingStatus.HALTED, told[1]
        before = self._told[instrument.id]
        if told == before:
            return
        self._told[instrument.id] = told
        status, rules = told
        _log.warning(
            "instrument_changed",
            venue=self._venue,
            symbol=instrument.symbol,
            status=status.name.lower(),
            rules=f"{rules}: restart to trade by the new rules" if rules else "as loaded",
        )
        if status is not before[0]:
            sink.on_event(InstrumentStatus(self._clock.monotonic_ns(), instrument.id, status))
