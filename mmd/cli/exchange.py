"""`mmd exchange`: the embedded exchange as a server of its own."""

import asyncio
import signal
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from adapters.binance_spot.sandbox import ORDERS_PER_10S, Sandbox, SandboxOptions
from adapters.binance_spot.sandbox_auth import DEFAULT_KEY, DEFAULT_SECRET, Credential
from mmd.errors import ConfigError, MmdError

_BALANCE_MAX = 1e9
"""In atoms this is far inside 64 bits."""
_FEE_MAX = 1_000.0


def exchange(
    *,
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 picks a free one.", min=0, max=65_535)
    ] = 9100,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    tape: Annotated[
        list[Path] | None,
        typer.Option(
            help="Recording of raw frames (.gz or plain); repeat it for files that follow."
        ),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="Times real time at which a tape is served: a number or 'max'.")
    ] = "1",
    exit_at_end: Annotated[
        bool,
        typer.Option(
            "--exit-at-end", help="Stop when the tape ends instead of serving its last book."
        ),
    ] = False,
    until_stdin_closes: Annotated[
        bool,
        typer.Option(
            "--until-stdin-closes",
            help="Stop when standard input ends: for a parent process.",
            hidden=True,
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the generated market.", min=0)] = 7,
    preset: Annotated[
        str, typer.Option(help="Character of the generated market: default, calm.")
    ] = "default",
    symbol: Annotated[
        str, typer.Option(help="Symbol of the generated market, quoted in USDT.")
    ] = "MMDUSDT",
    base_balance: Annotated[
        float | None,
        typer.Option(
            help="Starting holdings of the base asset; default: as much as quote.",
            min=0,
            max=_BALANCE_MAX,
        ),
    ] = None,
    quote_balance: Annotated[
        float,
        typer.Option(help="Starting holdings of the quote asset.", min=0, max=_BALANCE_MAX),
    ] = 1_000_000.0,
    maker_fee_bps: Annotated[
        float,
        typer.Option(help="Maker commission; negative is a rebate.", min=-_FEE_MAX, max=_FEE_MAX),
    ] = 1.0,
    taker_fee_bps: Annotated[
        float, typer.Option(help="Taker commission.", min=-_FEE_MAX, max=_FEE_MAX)
    ] = 1.0,
    orders_per_10s: Annotated[
        int, typer.Option(help="Unfilled orders allowed in 10 s.", min=1)
    ] = ORDERS_PER_10S,
    key: Annotated[str, typer.Option(help="API key that clients use.")] = DEFAULT_KEY,
    secret: Annotated[
        str, typer.Option(help="Its HMAC secret, or an Ed25519 public key in PEM form.")
    ] = DEFAULT_SECRET,
) -> None:
    """Serve an exchange that speaks Binance spot's protocol on this machine.

    Any client of that venue works against it once it has these addresses, and the key and secret
    below, which are public and worth nothing.

    mmd exchange: a generated market, MMDUSDT near 100.00.

    mmd exchange --preset calm --seed 3 --port 0: another one, on a free port.

    mmd exchange --tape day.gz --speed max: a recording, as fast as it is read.
    """
    try:
        options = SandboxOptions(
            host=host,
            port=port,
            tapes=tuple(tape or ()),
            speed=_speed(speed),
            seed=seed,
            preset=preset,
            symbol=symbol,
            base_balance=None if base_balance is None else Decimal(str(base_balance)),
            quote_balance=Decimal(str(quote_balance)),
            maker_fee_bps=maker_fee_bps,
            taker_fee_bps=taker_fee_bps,
            orders_per_10s=orders_per_10s,
            credentials=(Credential(key, secret),),
        )
        asyncio.run(_serve(options, exit_at_end=exit_at_end, until_stdin_closes=until_stdin_closes))
    except MmdError as error:
        typer.echo(f"mmd exchange: {error}", err=True)
        raise typer.Exit(error.exit_code) from None


async def _serve(options: SandboxOptions, *, exit_at_end: bool, until_stdin_closes: bool) -> None:
    """Serve until told to stop, or to the end of the tape."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        loop.add_reader(sys.stdin, stop.set)  # nothing is ever written to it: readable means closed
    async with Sandbox(options) as sandbox:
        typer.echo(
            f"exchange {sandbox.instrument.symbol} listening on {sandbox.rest_url} "
            f"(streams {sandbox.stream_url}/stream, WebSocket API {sandbox.api_url})"
        )
        stopping = asyncio.create_task(stop.wait())
        playing = asyncio.create_task(sandbox.run_to_end())
        await asyncio.wait({stopping, playing}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
            if not exit_at_end:
                await stopping
        for task in (stopping, playing):
            task.cancel()


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"speed: expected a number above 0 or 'max', found '{text}'") from None
