"""Following a leader: its moves come through, the usual difference does not, and what is not known is not followed."""

from decimal import Decimal

import pytest

from mmd.core.events import Balance, FeedDown, FeedUp, PrivateUp, Reconciled
from mmd.core.lead import WATCHED_S_MIN, Lead, leads
from mmd.core.quoting.quote_state import QuoteState
from mmd.core.units import ATOMS_PER_UNIT, InstrumentId
from mmd.errors import ConfigError
from tests.engine_bench import EngineBench
from tests.session import instrument, quoting, session_spec

LEADER = instrument(
    id=InstrumentId(1), symbol="MMDUSDC", quote="USDC", settle="USDC", tick_size=Decimal("0.05")
)
RATE = instrument(
    id=InstrumentId(2),
    symbol="USDCUSDT",
    base="USDC",
    tick_size=Decimal("0.0001"),
    lot_size=Decimal(1),
)
INVERSE = instrument(
    id=InstrumentId(2),
    symbol="USDTUSDC",
    base="USDT",
    quote="USDC",
    settle="USDC",
    tick_size=Decimal("0.0001"),
    lot_size=Decimal(1),
)
NAME = "embedded:MMDUSDC"


class Followed(EngineBench):
    """MMDUSDT (tick 0.01) at 100.00 after MMDUSDC (tick 0.05) at 100.10, with a rate between."""

    def __init__(self, rate_instrument=RATE, rate_ticks: int = 10_000, **changes: object) -> None:
        changes = {"lead": NAME, "fair_value": "mid", "levels": 1, "level_spacing_bps": 0} | changes
        super().__init__(
            session_spec(
                instruments=(instrument(), LEADER, rate_instrument),
                target_atoms=(None, None, None),
                quoting=quoting(**changes),
            )
        )
        for at, (asset, bid) in enumerate((("MMD", 9_999), ("MMD", 2_001), ("USDC", rate_ticks))):
            self.event(FeedUp(self.now_ns, InstrumentId(at)))
            self.snapshot(bid, bid + 2, at=at)
            held = 1_000 * ATOMS_PER_UNIT
            self.event(Balance(self.now_ns, "embedded", asset, held, 0))
            self.event(Reconciled(self.now_ns, "embedded", InstrumentId(at), held))
        self.event(Balance(self.now_ns, "embedded", "USDT", 100_000 * ATOMS_PER_UNIT, 0))
        self.event(PrivateUp(self.now_ns, "embedded"))
        self.turn()

    @property
    def lead(self) -> Lead:
        """Of the first instrument."""
        lead = self.maker.quoter.lead
        assert lead is not None
        return lead

    def watch(self, seconds: int = 15) -> None:
        """Let the basis be watched while nothing moves but the books' age."""
        for _ in range(seconds):
            self.pass_time(1_000)
            for at, view in enumerate(m.view for m in self.engine.makers):
                self.snapshot(view.bid_ticks, view.ask_ticks, at=at)
            self.tick()

    def move(self, ticks: int) -> None:
        """The leader moves by so many of its ticks."""
        view = self.engine.makers[1].view
        self.snapshot(view.bid_ticks + ticks, view.ask_ticks + ticks, at=1)


def test_a_move_of_the_leader_moves_fair_value_and_its_premium_does_not() -> None:
    """The leader stands 10 ticks of ours above us, always; two ticks of its more are ten of ours."""
    bench = Followed()
    bench.watch()
    assert bench.lead.basis_ticks == pytest.approx(-10.0 - 1.0005, abs=0.01)
    assert bench.lead.shift(bench.now_ns) == pytest.approx(0.0, abs=1e-9)
    bench.move(2)
    assert bench.lead.shift(bench.now_ns) == pytest.approx(10.0, abs=0.01)
    assert bench.lead.is_followed


def test_quotes_follow_before_our_own_market_does() -> None:
    """A frame of the leader alone lifts the fair value that the next decision quotes from."""
    bench = Followed()
    bench.watch()
    bench.turn()
    before = bench.maker.quoter.fair_ticks
    assert bench.maker.state is QuoteState.ACTIVE
    bench.move(1)
    moved = [c for c in bench.turn() if c.instrument == 0]
    assert bench.maker.quoter.fair_ticks - before == pytest.approx(5.0, abs=0.01)
    assert len(moved) > 0


@pytest.mark.parametrize(
    ("rate_instrument", "rate_ticks", "rate"),
    [(RATE, 9_899, 0.99), (INVERSE, 10_099, 1 / 1.01)],
    ids=["direct", "inverse"],
)
def test_its_currency_is_converted_at_the_live_rate(rate_instrument, rate_ticks, rate) -> None:
    """One tick of 0.05 USDC is not five of 0.01 USDT when a USDC is not a USDT."""
    bench = Followed(rate_instrument, rate_ticks)
    bench.watch()
    assert bench.lead.basis_ticks == pytest.approx(10_000 - 2_002 * 5 * rate)
    bench.move(1)
    assert bench.lead.shift(bench.now_ns) == pytest.approx(5 * rate)
    mid = (rate_ticks + 1) * 1.001
    bench.snapshot(round(mid) - 1, round(mid) + 1, at=2)
    assert bench.lead.shift(bench.now_ns) != pytest.approx(5 * rate, abs=1.0)


def test_nothing_is_followed_before_the_basis_was_watched() -> None:
    """A premium that is not known yet looks like news."""
    bench = Followed()
    bench.watch(int(WATCHED_S_MIN) - 1)
    assert bench.lead.basis_ticks is None
    assert bench.lead.shift(bench.now_ns) == 0.0
    assert not bench.lead.is_followed


def _goes_stale(bench: Followed) -> None:
    bench.now_ns += 1_000 * 1_000_000 + 1


def _loses_its_feed(bench: Followed) -> None:
    bench.event(FeedDown(bench.now_ns, InstrumentId(1), "lost"))


def _loses_the_rate(bench: Followed) -> None:
    bench.event(FeedDown(bench.now_ns, InstrumentId(2), "lost"))


def _crosses(bench: Followed) -> None:
    bench.snapshot(2_003, 2_001, at=1)


@pytest.mark.parametrize("happens", [_goes_stale, _loses_its_feed, _loses_the_rate, _crosses])
def test_our_own_market_decides_where_the_leader_is_not_known(happens) -> None:
    """And the leader is followed again when it is back."""
    bench = Followed()
    bench.watch()
    bench.move(2)
    happens(bench)
    assert bench.lead.shift(bench.now_ns) == 0.0
    assert not bench.lead.is_followed
    for at, bid in ((1, 2_001), (2, 10_000)):
        bench.event(FeedUp(bench.now_ns, InstrumentId(at)))
        bench.snapshot(bid, bid + 2, at=at)
    assert bench.lead.shift(bench.now_ns) == pytest.approx(0.0, abs=0.01)
    assert bench.lead.is_followed


def test_a_leader_that_runs_away_is_followed_so_far() -> None:
    """3 bps of 10,000 ticks are three ticks, either way."""
    bench = Followed(lead_shift_bps_max=3)
    bench.watch()
    for ticks in (50, -100):
        bench.move(ticks)
        assert abs(bench.lead.shift(bench.now_ns)) == pytest.approx(3.0)


def test_a_lasting_difference_becomes_basis() -> None:
    """Half of it in a half-life."""
    bench = Followed(lead_basis_halflife_s=20)
    bench.watch(2_000 // 10)
    bench.move(2)
    bench.watch(20)
    assert bench.lead.shift(bench.now_ns) == pytest.approx(5.0, abs=0.3)


def test_the_leader_follows_nobody_and_other_assets_go_their_own_way() -> None:
    """Only instruments of the leader's base asset have it as a leader."""
    bench = Followed()
    assert bench.engine.makers[1].quoter.lead is None
    assert bench.engine.makers[2].quoter.lead is None
    views = [(m.instrument, m.view) for m in bench.engine.makers]
    assert leads(views, quoting()) == [None, None, None]


@pytest.mark.parametrize(
    ("instruments", "lead", "says"),
    [
        ((instrument(),), NAME, "expected an instrument of the session, found embedded:MMDUSDT"),
        ((instrument(), LEADER), NAME, "between that and USDC to convert by, found none"),
    ],
)
def test_a_leader_that_cannot_be_followed_is_named(instruments, lead, says) -> None:
    """At the start, with what to do."""
    views = [(i, None) for i in instruments]
    with pytest.raises(ConfigError, match=f"quoting.lead = {lead}: .*{says}"):
        leads(views, quoting(lead=lead))
