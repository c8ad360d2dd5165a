"""Kill points are read from text, and every kind of record that matters is a step."""

import pytest

from mmd.core.commands import CancelOrder, ResyncBook
from mmd.core.events import DayMark, Timer
from mmd.core.units import InstrumentId, client_order_id
from mmd.errors import ConfigError
from mmd.journal.kill_points import KillPoint, Phase, kill_point, step_of


def test_points_are_read_from_text() -> None:
    """With a count or without."""
    assert kill_point("place:torn") == (KillPoint("place", Phase.TORN), 1)
    assert kill_point("fill:done:7") == (KillPoint("fill", Phase.DONE), 7)
    assert KillPoint("fill", Phase.DONE).name == "fill:done"


@pytest.mark.parametrize("text", ["", "place", "place:later", "party:done", "place:done:x"])
def test_other_texts_are_refused(text: str) -> None:
    """With what there is."""
    with pytest.raises(ConfigError, match="expected STEP:PHASE"):
        kill_point(text)


def test_steps() -> None:
    """What nobody wants to die at has no name."""
    assert step_of(CancelOrder(InstrumentId(0), client_order_id(1, 1))) == "cancel"
    assert step_of(Timer(1)) == "timer"
    assert step_of(ResyncBook(InstrumentId(0))) == ""
    assert step_of(DayMark(1, 1, "USDT", 0, 0)) == ""
