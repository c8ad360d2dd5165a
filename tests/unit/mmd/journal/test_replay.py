"""A recorded session, fed to a fresh engine, commands the same bytes; whatever was changed shows where."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from mmd.core.commands import CancelOrder, PlaceOrder
from mmd.core.events import Fill, OperatorAction
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.units import Side, TimeInForce
from mmd.errors import JournalError
from mmd.journal import replay as module
from mmd.journal.format import Kind, Record, command_decoder, encoder, event_decoder
from mmd.journal.reader import records
from mmd.journal.replay import ReplayResult, replay
from mmd.journal.writer import JournalWriter
from tests.driver_bench import DriverBench
from tests.hedge_bench import hedge_spec
from tests.ops_state import obey_all
from tests.session import session_spec


@pytest.fixture
async def session(tmp_path: Path) -> Path:
    """Quotes, a fill, a jump of the market, a gap, and the end."""
    folder = tmp_path / "session"
    with JournalWriter(folder, session_spec(), segment_bytes=1, sync_ns=10**7) as journal:
        bench = DriverBench(journal=journal)
        bench.start()
        bench.driver.stop()
        bench.bring_up()
        obey_all(bench)
        filled = next(i for i, order in bench.open.items() if order.side is Side.BUY)
        bench.fill(filled)
        del bench.open[filled]
        bench.pass_time(150)
        bench.tick()
        obey_all(bench)
        bench.pass_time(100)
        bench.shift(40)
        obey_all(bench)
        bench.diff({10_030: 1}, gap=3)
        obey_all(bench)
        bench.snapshot(10_039, 10_041)
        obey_all(bench)
        bench.driver.operate(OperatorAction.STOP, "end")
    return folder


def again(stream: Iterable[Record]) -> ReplayResult:
    """Replay records that were tampered with; the header is the first of them."""
    left = iter(stream)
    engine = module.Engine(module.spec_decoder.decode(next(left).body))
    return module._Replay(engine, None).run(left)


def of_kind(found: list[Record], kind: type) -> Record:
    """The first record that holds one."""
    for record in found:
        decoder = {Kind.EVENT: event_decoder, Kind.COMMAND: command_decoder}.get(record.kind)
        if decoder is not None and isinstance(decoder.decode(record.body), kind):
            return record
    raise AssertionError(f"no {kind.__name__} was recorded")


async def test_the_same_bytes_and_the_same_end(session: Path) -> None:
    """Every command of every kind is compared; position and counts end as they did."""
    found = list(records(session))
    result = replay(session)
    assert result.divergence is None
    assert result.commands == sum(r.kind is Kind.COMMAND for r in found) > 12
    assert result.events == len(found) - result.commands - 1
    maker = result.engine.makers[0]
    assert (maker.ledger.fill_count, maker.view.gaps, maker.view.resyncs) == (1, 1, 2)
    assert maker.ledger.position_lots > 0


async def test_an_observer_sees_every_input_after_it_was_applied(session: Path) -> None:
    """In order, the engine's time never going back."""
    seen: list[tuple[int, int]] = []
    replay(session, lambda engine, record: seen.append((record.sequence, engine.now_ns)))
    inputs = [r.sequence for r in records(session) if r.kind in (Kind.EVENT, Kind.MARKET)]
    assert [sequence for sequence, _ in seen] == inputs
    assert [now for _, now in seen] == sorted(now for _, now in seen)


async def test_a_missing_fill_is_noticed(session: Path) -> None:
    """At the first command that depends on it."""
    found = list(records(session))
    divergence = again(r for r in found if r is not of_kind(found, Fill)).divergence
    assert divergence is not None
    assert divergence.recorded != divergence.replayed
    assert divergence.record.sequence > of_kind(found, Fill).sequence


async def test_a_command_that_was_never_sent_is_noticed(session: Path) -> None:
    """One more in the journal than the engine gives."""
    found = list(records(session))
    cancel = of_kind(found, CancelOrder)
    index = found.index(cancel)
    divergence = again([*found[: index + 1], cancel, *found[index + 1 :]]).divergence
    assert divergence is not None
    assert divergence.recorded == cancel.body


async def test_a_changed_command_is_noticed(session: Path) -> None:
    """By its bytes."""
    found = list(records(session))
    cancel = of_kind(found, CancelOrder)
    command = command_decoder.decode(cancel.body)
    other = encoder.encode(
        msgspec.structs.replace(command, client_order_id=command.client_order_id + 1)
    )
    divergence = again(r._replace(body=other) if r is cancel else r for r in found).divergence
    assert divergence is not None
    assert (divergence.record.sequence, divergence.recorded) == (cancel.sequence, other)
    assert divergence.replayed == cancel.body


async def test_a_malformed_market_record_is_refused_with_its_place(session: Path) -> None:
    """Cut short, though its checksum held."""
    found = list(records(session))
    market = next(r for r in found if r.kind is Kind.MARKET)
    with pytest.raises(JournalError, match=f"offset {market.offset}: market record is malformed"):
        again(r._replace(body=r.body[:-8]) if r is market else r for r in found)


def test_a_folder_that_is_no_session_is_refused(tmp_path: Path) -> None:
    """Nothing there, or segments without a record."""
    with pytest.raises(JournalError, match="holds no journal"):
        replay(tmp_path)
    (tmp_path / "000001.mmdj").write_bytes(b"")
    with pytest.raises(JournalError, match="expected a header"):
        replay(tmp_path)


@pytest.mark.parametrize("algorithm", ["ioc", "passive_then_cross", "twap"])
async def test_a_session_with_hedges_replays_to_the_same_bytes(
    tmp_path: Path, algorithm: str
) -> None:
    """Cap by VaR, warning, hedges in parts: all of it follows from the journal."""
    hedge = HedgeSpec(route="same", algorithm=algorithm, passive_ns=2_000_000_000)
    inventory = InventorySpec(var_max=Decimal(60), warning_skew_multiplier=2.0)
    spec = hedge_spec(9.5, hedge, inventory)
    folder = tmp_path / "session"
    with JournalWriter(folder, spec, segment_bytes=1, sync_ns=10**7) as journal:
        bench = DriverBench(spec, journal)
        bench.start()
        bench.driver.stop()
        bench.bring_up()
        obey_all(bench)
        for step in range(40):
            bench.pass_time(150)
            bench.shift(step % 5 - 2)
            bench.tick()
            bench.driver.decide()
            sent, bench.venue.sent = bench.venue.sent, []
            for command in sent:
                bench.obey(command)
                if isinstance(command, PlaceOrder) and command.tif is TimeInForce.IOC:
                    bench.fill(command.client_order_id, command.qty_lots // 2)
                    bench.end(command.client_order_id, command.qty_lots // 2)
    result = replay(folder)
    assert result.divergence is None
    hedging = result.engine.hedging
    assert hedging is not None
    hedger = hedging.hedgers[0]
    assert (hedger.started, hedger.hedged_lots) == (
        bench.real_engine.hedging.hedgers[0].started,
        bench.real_engine.hedging.hedgers[0].hedged_lots,
    )
    assert hedger.hedged_lots > 0
