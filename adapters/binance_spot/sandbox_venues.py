"""Several embedded exchanges at once: books and accounts of their own, efficient prices linked with a lag."""

import contextlib
from collections.abc import AsyncIterator

import msgspec

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_options import SandboxOptions
from mmd.core.ports import Clock
from mmd.errors import ConfigError
from mmd.exchange.presets import PriceLink
from mmd.shell.clock import SystemClock

_SEEDS_PER_VENUE = 1_000_003


def linked(options: SandboxOptions, venues: int, lag_ms: float) -> list[SandboxOptions]:
    """Options of each venue: the first leads, each next one hears of the price lag_ms later.

    Ports count up from the first one's. Raises: ConfigError if there is nothing to link.
    """
    if venues > 1 and options.tapes:
        raise ConfigError("venues: a tape is of one venue; leave --venues or --tape away")
    return [
        msgspec.structs.replace(
            options,
            port=options.port + number if options.port > 0 else 0,
            seed=options.seed + number * _SEEDS_PER_VENUE,
            price_link=PriceLink(seed=options.seed, lag_ns=round(number * lag_ms * 1e6)),
        )
        for number in range(venues)
    ]


@contextlib.asynccontextmanager
async def running(
    options: SandboxOptions, venues: int = 1, lag_ms: float = 0.0, clock: Clock | None = None
) -> AsyncIterator[list[Sandbox]]:
    """Run so many linked venues; their markets start at one instant."""
    machine = SystemClock() if clock is None else clock
    start_ns = machine.unix_ns()
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(Sandbox(o, clock=machine, start_ns=start_ns))
            for o in linked(options, venues, lag_ms)
        ]
