"""`mmd exchange`: the embedded exchange as a server of its own."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from adapters.binance_spot.sandbox_auth import DEFAULT_KEY, DEFAULT_SECRET, Credential
from mmd.errors import ConfigError, MmdError

_BALANCE_MAX = 1e9
"""In atoms this is far inside 64 bits."""
_FEE_MAX = 1_000.0


EXAMPLES = """
Examples:

  mmd exchange                                     a generated market, MMDUSDT near 100.00, on port 9100

  mmd exchange --tape day.gz --speed 10            a recording, ten times as fast

  mmd exchange --port 0 --preset high_volatility
"""


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
        str,
        typer.Option(
            help="Character of the generated market: a name, or a file of mmd calibrate; an unknown name lists them."
        ),
    ] = "default",
    symbol: Annotated[
        list[str] | None,
        typer.Option(
            help="Symbol of a generated market, quoted in USDT; repeat it for several.",
            show_default="MMDUSDT",
        ),
    ] = None,
    venues: Annotated[
        int,
        typer.Option(
            help="Exchanges to run, on ports that count up, with books and accounts of their own.",
            min=1,
            max=8,
        ),
    ] = 1,
    lag_ms: Annotated[
        float,
        typer.Option(
            help="How much later each exchange learns of the price than the one before.",
            min=0,
            max=60_000,
        ),
    ] = 0.0,
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
    fee_asset: Annotated[
        str | None,
        typer.Option(help="Third asset in which commissions are paid, at three quarters."),
    ] = None,
    orders_per_10s: Annotated[
        int | None, typer.Option(help="Unfilled orders allowed in 10 s; default: 1000.", min=1)
    ] = None,
    weight_per_minute: Annotated[
        int | None, typer.Option(help="Request weight allowed in a minute; default: 6000.", min=1)
    ] = None,
    messages_per_s: Annotated[
        int | None,
        typer.Option(help="Messages a stream client may send in a second; default: 5.", min=1),
    ] = None,
    connection_life_s: Annotated[
        float | None,
        typer.Option(help="Seconds after which a connection is cut; default: a day.", min=1),
    ] = None,
    legacy_listen_key: Annotated[
        bool,
        typer.Option(
            "--legacy-listen-key",
            help="Offer listen keys too, for clients from before February 2026.",
        ),
    ] = False,
    faults: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="Take orders for faults at POST /control/faults with this token in X-MMD-Token, "
            "from this machine only; 'list' shows them.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="PEM file with a chain and its private key: serve over TLS."
        ),
    ] = None,
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

    mmd exchange --venues 2 --lag-ms 200: two of them, the second one late.
    """
    from adapters.binance_spot.sandbox_control import describe  # noqa: PLC0415
    from adapters.binance_spot.sandbox_options import SandboxOptions  # noqa: PLC0415
    from mmd.cli.exchange_server import serve  # noqa: PLC0415 - other commands do without

    if faults == "list":
        typer.echo(describe())
        return
    limits = {
        "orders_per_10s": orders_per_10s,
        "weight_per_minute": weight_per_minute,
        "messages_per_s": messages_per_s,
        "connection_life_s": connection_life_s,
    }
    try:
        options = SandboxOptions(
            host=host,
            port=port,
            tapes=tuple(tape or ()),
            speed=_speed(speed),
            seed=seed,
            preset=preset,
            symbols=tuple(symbol or ("MMDUSDT",)),
            base_balance=None if base_balance is None else Decimal(str(base_balance)),
            quote_balance=Decimal(str(quote_balance)),
            maker_fee_bps=maker_fee_bps,
            taker_fee_bps=taker_fee_bps,
            fee_asset=fee_asset,
            has_listen_keys=legacy_listen_key,
            faults_token=faults,
            certificate=certificate,
            credentials=(Credential(key, secret),),
        )
        given = {name: value for name, value in limits.items() if value is not None}
        options = msgspec.structs.replace(options, **given)
        ends = {"exit_at_end": exit_at_end, "until_stdin_closes": until_stdin_closes}
        asyncio.run(serve(options, venues, lag_ms, **ends))
    except MmdError as error:
        typer.echo(f"mmd exchange: {error}", err=True)
        raise typer.Exit(error.exit_code) from None


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"speed: expected a number above 0 or 'max', found '{text}'") from None
