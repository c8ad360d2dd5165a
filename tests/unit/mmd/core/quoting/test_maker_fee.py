"""The maker fee: as stated until a fill says otherwise, without being moved by rounding."""

from decimal import Decimal

import pytest

from mmd.core.events import Fill
from mmd.core.instrument import Kind
from mmd.core.quoting.maker_fee import MakerFee
from mmd.core.units import ATOMS_PER_UNIT, Side
from tests.session import instrument

PRICE, LOTS = 10_000, 2_000  # 100.00 USDT, 2 MMD
NOTIONAL = 200 * ATOMS_PER_UNIT


def _fill(fee_atoms: int, asset: str = "USDT", *, lots: int = LOTS, is_maker: bool = True) -> Fill:
    return Fill(1, 0, 1, 1, 1, Side.BUY, PRICE, lots, is_maker, fee_atoms, asset, 1)


def _fee(**changes: object) -> MakerFee:
    return MakerFee(instrument(**({"maker_fee_bps": 10.0} | changes)))


def test_it_begins_with_what_the_venue_states() -> None:
    """And a fill that pays it is no change."""
    fee = _fee()
    assert fee.bps == 10.0
    assert not fee.on_fill(_fill(NOTIONAL // 1_000))
    assert fee.bps == 10.0


@pytest.mark.parametrize(
    ("fill", "bps"),
    [
        (_fill(NOTIONAL * 8 // 10_000), 8.0),
        (_fill(-NOTIONAL // 20_000), -0.5),
        (_fill(2 * ATOMS_PER_UNIT * 9 // 10_000, "MMD"), 9.0),
        (_fill(0), 0.0),
    ],
    ids=["quote", "rebate", "base", "free"],
)
def test_another_fee_shows_in_the_fill(fill: Fill, bps: float) -> None:
    """In quote or base currency; once is a change, twice is not."""
    fee = _fee()
    assert fee.on_fill(fill)
    assert fee.bps == pytest.approx(bps)
    assert not fee.on_fill(fill)


@pytest.mark.parametrize(
    ("fill", "changes"),
    [
        (_fill(1_000, "BNB"), {}),
        (_fill(NOTIONAL // 500, is_maker=False), {}),
        (_fill(NOTIONAL // 500), {"kind": Kind.INVERSE}),
    ],
    ids=["third asset", "taker", "inverse"],
)
def test_what_says_nothing_about_it_changes_nothing(fill: Fill, changes: dict[str, object]) -> None:
    """A discount in another asset, a taker's fee, a contract whose fee is charged otherwise."""
    fee = _fee(**changes)
    assert not fee.on_fill(fill)
    assert fee.bps == 10.0


def test_rounding_of_a_small_fill_is_no_change() -> None:
    """A fee of 2.5 atoms is charged as 3."""
    small = instrument(maker_fee_bps=10.0, lot_size=Decimal("0.00000001"))
    fee = MakerFee(small)
    assert not fee.on_fill(_fill(3, lots=25))
    assert fee.bps == 10.0
