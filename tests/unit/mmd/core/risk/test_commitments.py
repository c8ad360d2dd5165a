"""Exposure by venue, asset and session, and funds shared by instruments: against sums made anew."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.risk.commitments import Commitments
from mmd.core.risk.view import UNLIMITED_LOTS
from mmd.core.units import ATOMS_PER_UNIT, InstrumentId
from mmd.errors import ConfigError
from tests.session import instrument, risk

LOT = 10  # MMDUSDT at 100.00: 0.1 USDT a lot of 0.001; ten of them are one
PAIR = (
    instrument(),
    instrument(id=InstrumentId(1), symbol="ODDUSDT", base="ODD", venue="other"),
)
ODD_BTC = instrument(id=InstrumentId(1), symbol="ODDBTC", base="ODD", quote="BTC", settle="BTC")
BTC_USDT = instrument(id=InstrumentId(2), symbol="BTCUSDT", base="BTC")


def priced(instruments, *mids, **limits):
    made = Commitments(instruments, risk(**limits))
    for at, mid in enumerate(mids):
        made.on_mid(at, mid)
    made.revalue()
    return made


@pytest.mark.parametrize(
    ("limit", "room"),
    [
        ("exposure_gross_max", (70, 70)),
        ("exposure_net_max", (130, 70)),
        ("venue_gross_max", (100, 100)),
        ("asset_net_max", (100, 100)),
    ],
)
def test_others_take_room_from_what_they_share(limit, room):
    """10 USDT are 100 lots; another instrument is 30 lots short at another venue in another asset."""
    made = priced(PAIR, 20_000, 20_000, **{limit: 10})
    made.state(1, -30, (0, 0), (0, 0))
    assert made.room_lots(0, 0) == room


def test_orders_count_in_the_worst_case_of_their_side():
    """Of another instrument as if all of them filled; our own are the gate's business."""
    made = priced(PAIR, 20_000, 20_000, exposure_net_max=10)
    made.state(1, 0, (20, 50), (0, 0))
    made.state(0, 5, (40, 0), (0, 0))
    assert made.room_lots(0, 5) == (100 - 20 - 5, 100 - 50 + 5)
    assert made.total.net_atoms == 6.5 * ATOMS_PER_UNIT
    assert made.total.headroom() == pytest.approx({"exposure_net": 1 - 0.65})


def test_without_limits_there_is_room_for_everything():
    """And nothing has to be priced."""
    made = Commitments(PAIR, risk())
    assert not made.is_limited
    assert made.room_lots(0, 7) == (UNLIMITED_LOTS, UNLIMITED_LOTS)


def test_what_cannot_be_valued_has_no_room():
    """No mid of its own, or none of the pair that converts it."""
    made = priced((instrument(), ODD_BTC, BTC_USDT), 20_000, 20_000, 0, exposure_gross_max=10)
    assert made.room_lots(1, 0) == (0, 0)
    assert made.rate_of(1) is None
    assert made.room_lots(2, 0) == (0, 0)
    assert made.room_lots(0, 0) == (100, 100)


def test_a_quote_currency_is_converted_by_the_mid():
    """Either way round."""
    made = priced((instrument(), ODD_BTC, BTC_USDT), 20_000, 20_000, 400, exposure_gross_max=10)
    assert made.rate_of(1) == pytest.approx(2.0)
    assert made.room_lots(1, 0) == (50, 50)
    inverse = priced(
        (instrument(quote="BTC"), BTC_USDT.__class__(**_fields(BTC_USDT, id=InstrumentId(1)))),
        20_000,
        400,
        reporting_currency="USDT",
    )
    assert inverse.rate_of(0) == pytest.approx(2.0)
    backwards = priced(
        (instrument(), BTC_USDT.__class__(**_fields(BTC_USDT, id=InstrumentId(1)))),
        20_000,
        400,
        reporting_currency="BTC",
    )
    assert backwards.rate_of(0) == pytest.approx(0.5)


def _fields(of, **changes):
    return {name: getattr(of, name) for name in of.__struct_fields__} | changes


def test_a_currency_that_nothing_converts_is_refused():
    """At the start, with what to do."""
    with pytest.raises(ConfigError, match=r"reporting_currency EUR.*between the two"):
        Commitments((instrument(),), risk(reporting_currency="EUR"))
    observed = Commitments((instrument(),), risk(reporting_currency="EUR"), observes=True)
    assert observed.rate_of(0) is None


def test_funds_that_others_lock_are_theirs():
    """The quote of one venue is shared; another venue's is not, and one's own is not counted."""
    same = instrument(id=InstrumentId(1), symbol="ODDUSDT", base="ODD")
    made = priced((instrument(), same), 20_000, 20_000)
    made.state(0, 0, (5, 3), (5 * 10_000, 3 * 10_000))
    made.state(1, 0, (7, 2), (7 * 9_999, 0))
    ticklot = 10**8 // 100 // 1000  # 0.01 * 0.001 USDT
    assert made.others_locked(0) == (0, 7 * 9_999 * ticklot)
    assert made.others_locked(1) == (0, 5 * 10_000 * ticklot)
    made.state(1, 0, (0, 0), (0, 0))
    assert made.others_locked(0) == (0, 0)
    apart = priced(PAIR, 20_000, 20_000)
    apart.state(1, 0, (7, 2), (7 * 9_999, 0))
    assert apart.others_locked(0) == (0, 0)


STATES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-500, 500), st.integers(0, 300), st.integers(0, 300)),
    max_size=30,
)


@given(STATES, st.integers(10_000, 30_000))
def test_sums_by_difference_are_the_sums(states, mid):
    """Whatever was stated before, only the last of each instrument counts, exactly."""
    made = priced(PAIR, 20_000, 20_000, exposure_gross_max=Decimal("1e6"))
    last = {}
    for at, position, bought, sold in states:
        made.on_mid(at, mid)
        made.revalue()
        made.state(at, position, (bought, sold), (0, 0))
        last[at] = made._stated[at]
    assert made.total.gross_atoms == sum(s.gross for s in last.values())
    assert made.total.long_atoms == sum(s.long for s in last.values())
    assert made.total.short_atoms == sum(s.short for s in last.values())
    for share in last.values():
        assert share.gross == max(abs(share.long), abs(share.short))
