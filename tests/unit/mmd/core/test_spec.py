"""What a session is made of goes through the journal's encoding unchanged."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.spec import SCHEMA, SessionSpec
from mmd.core.units import InstrumentId
from tests.session import instrument, quoting, risk, session_spec

MONEY = st.decimals(Decimal("0.00000001"), Decimal(10**12), places=8)


@given(MONEY, MONEY, st.integers(0, 2**62))
def test_it_survives_msgpack_to_the_last_digit(
    order: Decimal, loss: Decimal, started_ns: int
) -> None:
    """Decimals stay decimals: a replay needs the very same limits."""
    spec = session_spec(
        quoting=quoting(order_notional=order), risk=risk(loss_max=loss), started_unix_ns=started_ns,
        instruments=(instrument(), instrument(id=InstrumentId(1), tick_size=Decimal("0.25"))), target_atoms=(None, 3),
    )  # fmt: skip
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=SessionSpec) == spec


def test_what_it_does_not_know_it_refuses() -> None:
    """A missing part, or one of the wrong type, is no session."""
    fields = msgspec.to_builtins(session_spec())
    for broken in ({k: v for k, v in fields.items() if k != "risk"}, fields | {"session": "one"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(broken, SessionSpec)
    assert session_spec().schema == SCHEMA


def test_times_are_nanoseconds_and_the_close_is_seconds_of_the_day() -> None:
    """The user's milliseconds and HH:MM end here."""
    spec = quoting(
        requote_interval_ms=7,
        request_timeout_ms=1_500,
        spread_model="avellaneda_stoikov",
        close_utc="16:30",
    )
    assert (spec.requote_interval_ns, spec.request_timeout_ns) == (7_000_000, 1_500_000_000)
    assert spec.close_utc_s == 16 * 3_600 + 30 * 60
    assert quoting().close_utc_s is None
    assert risk(stale_book_ms=2).stale_book_ns == 2_000_000
