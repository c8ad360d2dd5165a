"""Funding of a perpetual: what it does to quotes, to the accounts, and nothing where no venue speaks of it."""

import pytest

from mmd.core.events import FundingPaid, FundingRate, Reconciled
from mmd.core.news import is_news
from mmd.core.quoting.funding import Funding
from mmd.core.quoting.record import QUOTE
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND, InstrumentId
from mmd.jit.kernel import new
from tests.engine_bench import EngineBench
from tests.session import quoting, session_spec

ZERO = InstrumentId(0)
EIGHT_HOURS_NS = 8 * 3_600 * NANOS_PER_SECOND


def rate(rate_e9: int, ts_ns: int = 1) -> FundingRate:
    """A rate of one eight-hour interval."""
    return FundingRate(ts_ns, ZERO, rate_e9, EIGHT_HOURS_NS, 0)


def paid(atoms: int, ts_event_ns: int) -> FundingPaid:
    """A payment to us."""
    return FundingPaid(ts_event_ns, ZERO, atoms, ts_event_ns)


def unrounded(bench: EngineBench) -> tuple[float, float]:
    """Bid and ask of level 0 in ticks, before they were rounded to the grid."""
    quote = bench.maker.quoter.quote[0]
    middle, (bid, ask) = float(quote["fair"] + quote["skew"]), quote["offset"].tolist()
    return middle - bid, middle + ask


def bench_of(**changes: object) -> EngineBench:
    """An engine that quotes a flat account at 100.00."""
    settings = quoting(**({"funding_drift": True, "spread_model": "glft"} | changes))
    bench = EngineBench(session_spec(quoting=settings))
    bench.bring_up()
    bench.turn()
    return bench


def test_a_rate_is_a_drift_against_those_who_pay_it() -> None:
    """A hundredth of a percent in eight hours at a mid of 10,000 ticks: a tick in eight hours, down."""
    quote = new(QUOTE)
    funding = Funding(quote, is_quoted=True)
    assert funding.rate is None
    funding.on_rate(rate(100_000), 20_000)
    assert quote["drift"][0] == pytest.approx(-1.0 / 28_800)
    assert (funding.rate, funding.interval_s) == (pytest.approx(1e-4), 28_800.0)
    funding.on_rate(rate(-50_000), 20_000)
    assert quote["drift"][0] == pytest.approx(0.5 / 28_800)


def test_a_rate_that_is_not_quoted_with_is_only_known() -> None:
    """As in sessions that were recorded before there was funding."""
    quote = new(QUOTE)
    funding = Funding(quote, is_quoted=False)
    funding.on_rate(rate(100_000), 20_000)
    assert quote["drift"][0] == 0.0
    assert funding.rate is not None


@pytest.mark.parametrize("rate_e9", [30_000_000, -30_000_000])
def test_quotes_lean_to_the_side_that_is_paid(rate_e9: int) -> None:
    """Where longs pay both quotes fall, so that we come to be short; the other way round they rise."""
    bench = bench_of()
    before = unrounded(bench)
    bench.event(rate(rate_e9, bench.now_ns))
    bench.pass_time(10)
    bench.snapshot()
    bench.turn()
    sign = -1 if rate_e9 > 0 else 1
    for old, now in zip(before, unrounded(bench), strict=True):
        assert sign * (now - old) > 0.1


def test_the_drift_survives_a_new_scale() -> None:
    """The price has moved by a fifth: sizes are new, the rate is not."""
    bench = bench_of()
    bench.event(rate(100_000, bench.now_ns))
    drift = float(bench.maker.quoter.quote["drift"][0])
    bench.pass_time(10)
    bench.shift(2_000)
    bench.turn()
    assert float(bench.maker.quoter.quote["drift"][0]) == drift < 0.0


def test_payments_are_a_source_of_pnl_and_counted_once() -> None:
    """In cash and in PnL, to the atom; what is told again after a reconnection changes nothing."""
    bench = bench_of()
    ledger = bench.maker.ledger
    pnl, cash = ledger.pnl, ledger.quote_atoms
    assert pnl is not None
    total = pnl.total_quote_atoms
    for event in (paid(-700, 5), paid(-700, 5), paid(300, 9), paid(-700, 5)):
        bench.event(event)
    assert pnl.total_quote_atoms - total == -400
    assert pnl.position.money.quote_atoms(pnl.sources.funding_units) == -400
    assert (ledger.quote_atoms - cash, pnl.identity_error) == (-400, 0)
    assert pnl.sources.total_units == pnl.total_units


def test_a_payment_before_the_accounts_are_known_is_part_of_what_is_found() -> None:
    """The baseline is made of the balances that contain it."""
    bench = EngineBench()
    bench.event(paid(-700, 5))
    bench.bring_up()
    assert bench.maker.ledger.pnl is not None
    assert bench.maker.ledger.pnl.total_units == 0
    bench.event(Reconciled(bench.now_ns, "embedded", ZERO, 1_000 * ATOMS_PER_UNIT))
    assert bench.maker.ledger.drift_atoms == 0


def test_neither_is_news() -> None:
    """A rate comes every second or so; the next frame is soon enough."""
    assert not is_news(rate(1))
    assert not is_news(paid(1, 1))
