"""PnL by source: each purpose has what its own fills brought, and all of them add up to the PnL."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.inventory.pnl import Pnl
from mmd.core.orders.order import OrderPurpose
from mmd.core.units import Side
from tests.order_events import fill, instrument

MIDS = st.integers(1800, 2200)
STEPS = st.one_of(
    st.tuples(
        st.just("fill"),
        st.sampled_from(Side),
        st.integers(900, 1100),
        st.integers(1, 50),
        st.sampled_from(["USDT", "NEXO", "BNB"]),
        st.integers(-(10**5), 10**6),
        MIDS,
        st.sampled_from(OrderPurpose),
    ),
    st.tuples(st.just("mid"), MIDS),
    st.tuples(st.just("transfer"), st.integers(-(10**8), 10**8), MIDS),
    st.tuples(st.just("price"), st.integers(1, 10**11)),
    st.tuples(st.just("funding"), st.integers(-(10**9), 10**9)),
)


def test_an_arbitrage_earns_what_the_mids_do_as_they_come_together() -> None:
    """Bought above one mid, sold below the other: both edges are negative, the sum is the price difference."""
    cheap, dear = Pnl(instrument(), 2000), Pnl(instrument(), 2020)
    cheap.on_fill(
        fill(1, 1, 100, Side.BUY, 1001, fee_atoms=300), 2000, purpose=OrderPurpose.ARBITRAGE
    )
    dear.on_fill(
        fill(2, 2, 100, Side.SELL, 1009, fee_atoms=300), 2020, purpose=OrderPurpose.ARBITRAGE
    )
    assert cheap.sources.arbitrage_units < 0
    for pnl in (cheap, dear):
        pnl.on_mid(2010)
    money = cheap.position.money
    gross = sum(money.decimal(p.sources.arbitrage_units) for p in (cheap, dear))
    assert gross == Decimal("0.008")
    assert sum(money.decimal(p.sources.total_units) for p in (cheap, dear)) == Decimal("0.007994")
    net_units = cheap.books.net_units(OrderPurpose.ARBITRAGE, 2010)
    assert net_units == cheap.sources.arbitrage_units - cheap.sources.fee_units


def test_a_hedge_loses_what_the_hedged_inventory_gains() -> None:
    """Quotes bought, a hedge sold: the drift is the quotes', its opposite the hedge's."""
    pnl = Pnl(instrument(), 2000)
    pnl.on_fill(fill(1, 1, 10, Side.BUY, 999), 2000)
    pnl.on_fill(fill(2, 2, 10, Side.SELL, 1000), 2000, purpose=OrderPurpose.HEDGE)
    pnl.on_mid(2100)
    sources = pnl.sources
    assert sources.drift_units == -sources.hedging_units > 0
    assert sources.spread_units == sources.total_units > 0


def test_a_flattening_counts_as_hedging_and_a_rebate_is_no_fee() -> None:
    """What closing cost stands apart from what quoting earned, and what was paid to us from what we paid."""
    pnl = Pnl(instrument(), 2000)
    pnl.on_fill(fill(1, 1, 10, Side.BUY, 999, fee_atoms=-50), 2000)
    pnl.on_fill(fill(2, 2, 10, Side.SELL, 998, fee_atoms=80), 2000, purpose=OrderPurpose.FLATTEN)
    sources, money = pnl.sources, pnl.position.money
    assert money.quote_atoms(sources.rebate_units) == 50
    assert money.quote_atoms(sources.fee_units) == 80
    assert sources.hedging_units < 0 < sources.spread_units


@pytest.mark.parametrize("carried", [0, 10**8])
def test_a_carried_inventory_is_the_quotes(carried: int) -> None:
    """It drifts like what quotes bought."""
    pnl = Pnl(instrument(), 2000, carried_atoms=carried)
    pnl.on_mid(2002)
    assert pnl.sources.drift_units == pnl.total_units


@settings(max_examples=60)
@given(MIDS, st.integers(-(10**8), 10**8), st.lists(STEPS, max_size=30))
def test_the_sources_add_up_always(first_mid: int, carried: int, steps: list[tuple]) -> None:
    """Any purpose, fees in base, quote and a third asset that is priced late: equal to the last integer."""
    pnl = Pnl(instrument(), first_mid, carried)
    for number, step in enumerate(steps):
        match step:
            case "fill", side, price, lots, asset, fee, mid, purpose:
                event = fill(number, number, lots, side, price, fee_atoms=fee, fee_asset=asset)
                pnl.on_fill(event, mid, purpose=purpose)
            case "mid", mid:
                pnl.on_mid(mid)
            case "transfer", atoms, mid:
                pnl.on_transfer(atoms, mid, number)
            case "price", rate:
                pnl.price_fees("BNB", rate)
            case "funding", atoms:
                pnl.on_funding(atoms)
        assert pnl.sources.total_units == pnl.total_units
        assert pnl.identity_error == 0
        assert pnl.sources.funding_units == sum(
            s[1] for s in steps[: number + 1] if s[0] == "funding"
        ) * (pnl.position.money.per_quote_atom)
        position = pnl.position
        closing = position.unrealised_units(pnl.mid_half_ticks) - position.fee_units
        assert position.realised_units + closing == pnl.total_units
