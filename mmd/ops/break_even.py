"""Says in the log what half spread just pays the fee: at the start, and whenever the account's fee changes."""

import asyncio
from collections.abc import Sequence

import structlog

from mmd.core.maker import Maker

_PERIOD_S = 1.0
_log = structlog.get_logger()


async def report_break_even(makers: Sequence[Maker]) -> None:
    """Log each instrument's break-even half spread, and again when it is another. Runs until it is cancelled."""
    told: dict[int, float] = {}
    while True:
        for at, maker in enumerate(makers):
            bps = maker.quoter.break_even_bps
            if told.get(at) != bps:
                told[at] = bps
                _log.info(
                    "break_even",
                    instrument=maker.instrument.symbol,
                    half_spread_bps=bps,
                    quotes_inside=maker.quoter.may_quote_inside,
                )
        await asyncio.sleep(_PERIOD_S)
