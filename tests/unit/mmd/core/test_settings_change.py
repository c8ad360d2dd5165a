"""Settings changed while the engine runs: the next orders go by them, and so does a replay."""

from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from mmd.core.commands import PlaceOrder
from mmd.core.events import SettingsChanged
from mmd.core.settings_change import CHANGEABLE, changed, changes
from mmd.core.spec import QuotingSpec, RiskSpec
from mmd.core.units import Side
from mmd.journal.replay import replay
from mmd.journal.writer import JournalWriter
from tests.driver_bench import DriverBench
from tests.ops_state import obey_all
from tests.session import session_spec


def test_every_changeable_field_is_one_of_the_spec() -> None:
    """A renamed field would be forgotten in silence."""
    assert CHANGEABLE["quoting"] <= set(QuotingSpec.__struct_fields__)
    assert CHANGEABLE["risk"] <= set(RiskSpec.__struct_fields__)


def test_changes_are_what_differs_and_may_change() -> None:
    """Applied they give the other spec, but for what may not change."""
    before = session_spec()
    after = replace(
        before,
        quoting=replace(before.quoting, levels=1, order_notional=Decimal("250.5"), prior_rate=9.0),
        risk=replace(before.risk, loss_max=Decimal(7), orders_per_10s=1),
    )
    told = changes(before, after)
    assert told == (
        ("quoting.levels", 1),
        ("quoting.order_notional", "250.5"),
        ("risk.loss_max", "7"),
    )
    found = changed(before, SettingsChanged(1, "test", told))
    assert found.quoting == replace(after.quoting, prior_rate=before.quoting.prior_rate)
    assert found.risk == replace(after.risk, orders_per_10s=before.risk.orders_per_10s)
    assert changes(before, before) == ()


def test_what_may_not_change_does_not_though_an_event_says_so() -> None:
    """A journal is no back door."""
    spec = session_spec()
    event = SettingsChanged(1, "test", (("quoting.prior_rate", 9.0), ("environment", "live")))
    assert changed(spec, event) == spec


async def test_the_next_orders_go_by_the_new_numbers_and_the_session_replays(
    tmp_path: Path,
) -> None:
    """Fewer levels at once, larger orders as they are placed."""
    folder = tmp_path / "session"
    with JournalWriter(folder, session_spec(), segment_bytes=1, sync_ns=10**7) as journal:
        bench = DriverBench(journal=journal)
        bench.start()
        bench.driver.stop()
        bench.bring_up()
        obey_all(bench)
        levels = sum(o.side is Side.BUY for o in bench.open.values())
        before = max(o.qty_lots for o in bench.open.values() if isinstance(o, PlaceOrder))
        spec = bench.real_engine.spec
        assert levels == spec.quoting.levels > 1
        told = (
            ("quoting.levels", 1),
            ("quoting.order_notional", str(2 * spec.quoting.order_notional)),
            ("risk.position_notional_max", "100000"),
            ("risk.order_notional_max", "50000"),
        )
        bench.driver.change_settings(told, "test")
        for _ in range(4):
            bench.pass_time(150)
            bench.tick()
            obey_all(bench)
        assert [o.side for o in bench.open.values()].count(Side.BUY) == 1
        bench.shift(40)  # an order in its place is not given up for its size alone
        for _ in range(2):
            bench.pass_time(150)
            obey_all(bench)
        assert max(o.qty_lots for o in bench.open.values()) > 1.5 * before
        assert bench.real_engine.settings_changes[0].changes == told
    result = replay(folder)
    assert result.divergence is None
    assert result.commands > 0
    assert result.engine.spec.quoting.levels == 1


async def test_a_loss_limit_is_taken_over() -> None:
    """The stop goes by it with the next equity."""
    bench = DriverBench()
    bench.start()
    bench.driver.stop()
    bench.bring_up()
    losses = bench.real_engine.risk.losses
    bench.driver.change_settings((("risk.loss_max", "0.5"), ("risk.drawdown_max", "0.5")), "test")
    losses.on_new_day(0)
    assert losses.headroom(-(10**8)) == {"loss": -1.0, "drawdown": -1.0}
