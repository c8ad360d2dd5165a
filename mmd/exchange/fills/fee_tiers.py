"""Maker and taker fees by venue and tier, in basis points; a negative maker fee is a rebate.

Rates are the venues' base schedules for accounts without token discounts, written down by hand as of AS_OF and not
checked since; a fee that an account really pays goes before any of them.
Source: binance.com/en/fee/schedule (spot and USD-M futures), kraken.com/features/fee-schedule, okx.com/fees,
deribit.com/kb/fees, bitstamp.net/fee-schedule.
"""

from typing import Final, NamedTuple

import msgspec

from mmd.core.instrument import Instrument
from mmd.errors import ConfigError

AS_OF: Final = "2025"
"""Of when the rates below are."""


class FeeTier(NamedTuple):
    """What a fill costs, in basis points of its notional."""

    maker_bps: float
    taker_bps: float


FEE_TIERS: Final[dict[str, dict[str, FeeTier]]] = {
    "binance_spot": {
        "vip0": FeeTier(10.0, 10.0),
        "vip1": FeeTier(9.0, 10.0),
        "vip2": FeeTier(8.0, 10.0),
        "vip3": FeeTier(4.0, 6.0),
        "vip6": FeeTier(2.0, 4.0),
        "vip9": FeeTier(1.1, 2.3),
    },
    "binance_usdm": {
        "vip0": FeeTier(2.0, 5.0),
        "vip3": FeeTier(1.2, 3.2),
        "vip6": FeeTier(0.6, 2.5),
        "vip9": FeeTier(0.0, 1.7),
        "maker_program": FeeTier(-0.5, 1.7),
    },
    "kraken_spot": {
        "base": FeeTier(25.0, 40.0),
        "1m": FeeTier(12.0, 22.0),
        "10m": FeeTier(0.0, 10.0),
    },
    "okx_spot": {
        "lv1": FeeTier(8.0, 10.0),
        "vip1": FeeTier(6.0, 7.0),
        "vip5": FeeTier(0.0, 3.0),
        "vip8": FeeTier(-0.5, 1.5),
    },
    "deribit": {"base": FeeTier(0.0, 5.0)},
    "bitstamp": {"base": FeeTier(30.0, 40.0), "10m": FeeTier(2.0, 6.0)},
}


def fee_tier(name: str) -> FeeTier:
    """The tier of a name like "binance_spot/vip0". Raises: ConfigError if there is none."""
    venue, _, tier = name.partition("/")
    tiers = FEE_TIERS.get(venue)
    if tiers is None:
        raise ConfigError(
            f"fees {name!r}: expected venue/tier with one of the venues {', '.join(FEE_TIERS)}"
        )
    if tier not in tiers:
        raise ConfigError(f"fees {name!r}: expected one of the tiers {', '.join(tiers)} of {venue}")
    return tiers[tier]


def with_fees(instrument: Instrument, tier: FeeTier) -> Instrument:
    """The instrument with a tier's fees."""
    return msgspec.structs.replace(
        instrument, maker_fee_bps=tier.maker_bps, taker_fee_bps=tier.taker_bps
    )
