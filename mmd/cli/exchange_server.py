"""Runs embedded exchanges until they are told to stop; apart from the command, which most others do without."""

import asyncio
import signal
import sys

import typer

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_options import SandboxOptions
from adapters.binance_spot.sandbox_venues import running


async def serve(
    options: SandboxOptions,
    venues: int,
    lag_ms: float,
    *,
    exit_at_end: bool,
    until_stdin_closes: bool,
) -> None:
    """Serve until told to stop, or to the end of the tape.

    Raises: ConfigError, TapeError.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        loop.add_reader(sys.stdin, stop.set)  # nothing is ever written to it: readable means closed
    async with running(options, venues, lag_ms) as sandboxes:
        for sandbox in sandboxes:
            typer.echo(_where(sandbox))
        stopping = asyncio.create_task(stop.wait())
        playing = [asyncio.create_task(sandbox.run_to_end()) for sandbox in sandboxes]
        await asyncio.wait({stopping, *playing}, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in playing if task.done()]
        for task in ended:
            task.result()
        if ended and not exit_at_end:
            await stopping
        stopping.cancel()
        for task in playing:
            task.cancel()


def _where(sandbox: Sandbox) -> str:
    """One line: what is traded, and at which addresses."""
    symbols = " ".join(m.instrument.symbol for m in sandbox.exchange.markets)
    return (
        f"exchange {symbols} listening on {sandbox.rest_url} "
        f"(streams {sandbox.stream_url}/stream, WebSocket API {sandbox.api_url})"
    )
