"""What an embedded exchange serves, checked, and the instruments, rules and balances that follow from it."""

import ssl
from decimal import Decimal
from pathlib import Path

import msgspec

from adapters.binance_spot.raw_tape import infer_instrument
from adapters.binance_spot.sandbox_auth import Credential
from mmd.calibration.catalogue import find_preset
from mmd.core.instrument import Instrument
from mmd.core.units import ATOMS_PER_UNIT
from mmd.errors import ConfigError
from mmd.exchange.default_instrument import synthetic_instrument
from mmd.exchange.exchange import Exchange
from mmd.exchange.fees import FeeDiscount
from mmd.exchange.presets import PriceLink
from mmd.exchange.rules import MarketRules, rules_of

VENUE = "binance_spot"
ORDERS_PER_10S = 1000
"""Default order budget; the venue's own is 100, which a maker on two sides meets at ten requotes a second."""
WEIGHT_PER_MINUTE = 6000
MESSAGES_PER_S = 5
CONNECTION_LIFE_S = 86_400.0


class SandboxOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve. Without tapes the markets are generated from the seed and the preset.

    speed is how many times faster than real time a tape is served, None as fast as readers take it.
    Balances are in units of the asset; base defaults to the same worth as quote. With a fee_asset commissions
    are paid in it, at three quarters. price_link makes the efficient prices those of another seed, told late.
    faults_token turns the fault control endpoint on. certificate is a PEM file with a chain and its private
    key; with one everything is served over TLS, for clients that insist on it.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tapes: tuple[Path, ...] = ()
    speed: float | None = 1.0
    seed: int = 7
    preset: str = "default"
    symbols: tuple[str, ...] = ("MMDUSDT",)
    price_link: PriceLink | None = None
    base_balance: Decimal | None = None
    quote_balance: Decimal = Decimal(1_000_000)
    maker_fee_bps: float = 1.0
    taker_fee_bps: float = 1.0
    fee_asset: str | None = None
    fee_asset_price: Decimal = Decimal(600)
    fee_asset_balance: Decimal = Decimal(1_000)
    position_max: Decimal | None = None
    orders_per_10s: int = ORDERS_PER_10S
    weight_per_minute: int = WEIGHT_PER_MINUTE
    messages_per_s: int = MESSAGES_PER_S
    connection_life_s: float = CONNECTION_LIFE_S
    has_listen_keys: bool = False
    faults_token: str | None = None
    certificate: Path | None = None
    credentials: tuple[Credential, ...] = (Credential(),)


def check(options: SandboxOptions) -> None:
    """Raises: ConfigError, with the option that is impossible."""
    try:
        find_preset(options.preset)
    except ConfigError as error:
        raise ConfigError(f"preset: {error}") from error
    if options.speed is not None and not options.speed > 0.0:
        raise ConfigError(f"speed: expected a number above 0 or 'max', found {options.speed}")
    if options.speed != 1.0 and not options.tapes:
        raise ConfigError("speed: only a tape can be served faster or slower; add --tape FILE")
    if not options.symbols or len(set(options.symbols)) != len(options.symbols):
        raise ConfigError(f"symbol: expected different symbols, found {list(options.symbols)}")
    for symbol in options.symbols if not options.tapes else ():
        if not symbol.endswith("USDT") or symbol == "USDT":
            raise ConfigError(f"symbol: expected one that ends in USDT, found '{symbol}'")
    if options.faults_token is not None and len(options.faults_token) < 8:
        raise ConfigError("faults: expected a token of at least 8 characters, found a shorter one")


def tls_context(options: SandboxOptions) -> ssl.SSLContext | None:
    """What to serve TLS with; None to serve without. Raises: ConfigError if the file is no good."""
    if options.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.certificate)
    except OSError as error:
        raise ConfigError(
            f"certificate: expected a PEM file with a chain and a private key at "
            f"{options.certificate}, found: {error.strerror or error}"
        ) from error
    return context


def instruments_of(options: SandboxOptions) -> list[Instrument]:
    """The instruments to trade: those asked for, or the tape's. Raises: TapeError."""
    if not options.tapes:
        preset = find_preset(options.preset)
        grid = {"tick_size": preset.tick_size, "lot_size": preset.lot_size}
        fees = (options.maker_fee_bps, options.taker_fee_bps)
        return [
            msgspec.structs.replace(synthetic_instrument(s, VENUE, *fees, number), **grid)
            for number, s in enumerate(options.symbols)
        ]
    inferred = infer_instrument(options.tapes, VENUE)
    return [
        msgspec.structs.replace(
            inferred, maker_fee_bps=options.maker_fee_bps, taker_fee_bps=options.taker_fee_bps
        )
    ]


def market_rules(options: SandboxOptions, instrument: Instrument) -> MarketRules:
    """An instrument's rules with what the options change."""
    discount = None
    if options.fee_asset is not None:
        discount = FeeDiscount(asset=options.fee_asset, price=options.fee_asset_price)
    position_max = options.position_max
    return msgspec.structs.replace(
        rules_of(instrument),
        fee_discount=discount,
        position_lots_max=None if position_max is None else int(position_max / instrument.lot_size),
    )


def endow(exchange: Exchange, options: SandboxOptions) -> None:
    """Give every account its starting balances; base by the opening mid where no amount was asked for."""
    starting: dict[str, Decimal] = {}
    for market in exchange.markets:
        # A recording without a snapshot opens without prices: as many units of base as of quote.
        ticks = market.reference_ticks(0)
        price = market.instrument.price(ticks) if ticks > 0 else Decimal(1)
        base = options.base_balance
        starting[market.instrument.base] = options.quote_balance / price if base is None else base
        starting[market.instrument.quote] = options.quote_balance
    if options.fee_asset is not None:
        starting.setdefault(options.fee_asset, options.fee_asset_balance)
    for account in exchange.accounts.values():
        for asset, amount in starting.items():
            account.receive(asset, int(amount * ATOMS_PER_UNIT))
        account.locked = dict.fromkeys(account.free, 0)
