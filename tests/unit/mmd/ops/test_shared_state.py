"""State through shared memory: whole or not at all, whatever the moment."""

import multiprocessing
from pathlib import Path

import msgspec
import pytest

from mmd.errors import MmdError
from mmd.ops.histogram_state import LatencyState
from mmd.ops.inventory_state import InventoryState
from mmd.ops.shared_state import SharedStateReader, SharedStateWriter, shared_folder
from mmd.ops.state import RiskState, State

NONE = LatencyState(0, 0.0, 0.0, 0.0, 0.0)
STATE = State(
    version="test",
    environment="embedded",
    session="00000001",
    uptime_s=1.0,
    taken_unix_s=2.0,
    taken_monotonic_s=2.0,
    ready=True,
    risk_level="NORMAL",
    risk_reason="",
    risk_refusals={},
    risk=RiskState("USDT", {}, {}, 0.0, 0.0, None, None, None, 0.0, None, None),
    inventory=InventoryState(None, None, [], {}, []),
    decisions=0,
    journal_up=True,
    journal_records=0,
    journal_bytes=0,
    tick_to_order_us=NONE,
    stages_us={},
    loop_lag_us=NONE,
    instruments=[],
)


def numbered(n: int) -> State:
    """A state whose size changes with n, so that a torn read would not decode to it."""
    return msgspec.structs.replace(STATE, decisions=n, risk_reason="x" * (n % 5000))


def test_what_is_published_is_read(tmp_path: Path) -> None:
    """The newest state wins."""
    writer = SharedStateWriter(tmp_path / "state")
    reader = SharedStateReader(tmp_path / "state")
    for n in (1, 2, 3):
        writer.publish(numbered(n))
    assert reader.read() == numbered(3)
    reader.close()
    writer.close()


def test_nothing_published_and_no_engine_are_said_so(tmp_path: Path) -> None:
    """One line each."""
    with pytest.raises(MmdError, match="the engine is starting"):
        SharedStateReader(tmp_path / "state")
    with pytest.raises(MmdError, match="has ended"):
        SharedStateReader(tmp_path / "gone" / "state")
    writer = SharedStateWriter(tmp_path / "state")
    reader = SharedStateReader(tmp_path / "state")
    with pytest.raises(MmdError, match="not published"):
        reader.read()
    reader.close()
    writer.close()


def test_a_state_too_large_leaves_the_last_one(tmp_path: Path) -> None:
    """Never half a state."""
    writer = SharedStateWriter(tmp_path / "state")
    reader = SharedStateReader(tmp_path / "state")
    writer.publish(STATE)
    writer.publish(msgspec.structs.replace(STATE, risk_reason="x" * 5_000_000))
    assert reader.read() == STATE
    reader.close()
    writer.close()


def _publish_on(path: Path, count: int) -> None:
    writer = SharedStateWriter(path)
    for n in range(count):
        writer.publish(numbered(n))
    writer.close()


def test_reader_never_sees_a_torn_state(tmp_path: Path) -> None:
    """Another process writes as fast as it can; every read is one of its states, and they only get newer."""
    path = tmp_path / "state"
    SharedStateWriter(path).publish(numbered(0))
    reader = SharedStateReader(path)
    other = multiprocessing.get_context("fork").Process(target=_publish_on, args=(path, 20_000))
    other.start()
    seen = [0]
    while other.is_alive():
        state = reader.read()
        assert state == numbered(state.decisions)
        seen.append(state.decisions)
    other.join()
    assert seen == sorted(seen)
    assert reader.read() == numbered(19_999)
    reader.close()


def test_shared_folder_is_private() -> None:
    """Only the owner may look in."""
    folder = shared_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
