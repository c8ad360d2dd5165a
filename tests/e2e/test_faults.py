"""The quick rows of the fault matrix on one daemon; `make faults` has all of them."""

import pytest

from tests.faults import order_entry_rows, websocket_rows
from tests.faults.rig import rig
from tests.faults.rows import Family, quick_names
from tests.faults.table import Outcome


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "family", [websocket_rows.FAMILY, order_entry_rows.FAMILY], ids=["websocket", "orders"]
)
async def test_quick_faults_lose_nothing(family: Family, tmp_path) -> None:
    """Each is noticed, survived and leaves no order, fill or atom behind, by the exchange's own records."""
    outcomes: list[Outcome] = []
    quick = quick_names([family])
    async with rig(tmp_path) as made, made.started():
        await family.play(made, lambda name: name in quick, outcomes.append)
    assert len(outcomes) == len(quick) > 4
    assert [o for o in outcomes if not o.holds] == []
