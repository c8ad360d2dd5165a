"""Goes through the fault matrix on real sockets and prints it row by row: `python -m tests.faults`."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults import (
    clock_rows,
    disk_rows,
    kill_rows,
    model_rows,
    order_entry_rows,
    other_rows,
    process_rows,
    websocket_rows,
)
from tests.faults.alone_rows import AloneFamily
from tests.faults.rig import rig
from tests.faults.rows import Family
from tests.faults.table import HEADINGS, Outcome, markdown, total

SHARED: tuple[Family, ...] = (websocket_rows.FAMILY, order_entry_rows.FAMILY)
"""Families of which each needs one daemon."""
ALONE: tuple[AloneFamily, ...] = (
    process_rows.FAMILY,
    disk_rows.FAMILY,
    kill_rows.FAMILY,
    clock_rows.FAMILY,
    other_rows.NETWORK,
    model_rows.FAMILY,
    other_rows.CONFIG,
)
"""Families whose rows need one each."""


async def play(
    family: Family, wanted: Callable[[str], bool], on_outcome: Callable[[Outcome], None]
) -> None:
    """One exchange and one daemon through a family's rows."""
    with tempfile.TemporaryDirectory(prefix="mmd-faults-") as folder:
        async with contextlib.AsyncExitStack() as stack:
            made = await stack.enter_async_context(rig(Path(folder)))
            await stack.enter_async_context(made.started("--set", "risk.rejects_max=200"))
            await family.play(made, wanted, on_outcome)


def main() -> int:
    """The command; returns 1 if a row failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--family", action="append", help="only this family; repeatable")
    parser.add_argument("--row", action="append", help="only rows with this in their name")
    parser.add_argument("--markdown", type=Path, help="write the table there as well")
    given = parser.parse_args()
    outcomes: list[Outcome] = []
    console = Console(width=200)

    def wanted(name: str) -> bool:
        return not given.row or any(part in name for part in given.row)

    def on_outcome(outcome: Outcome) -> None:
        outcomes.append(outcome)
        console.print(" | ".join(outcome.cells()), markup=False, highlight=False)

    began_s = time.monotonic()
    for family in SHARED:
        if not given.family or family.name in given.family:
            asyncio.run(play(family, wanted, on_outcome))
    for family in ALONE:
        if not given.family or family.name in given.family:
            asyncio.run(family.play(wanted, on_outcome))
    table = Table(*HEADINGS)
    for outcome in outcomes:
        table.add_row(*outcome.cells())
    console.print(table, markup=False)
    console.print(f"{total(outcomes)}; {time.monotonic() - began_s:.0f} s")
    if given.markdown is not None:
        given.markdown.write_text(markdown(outcomes) + "\n" + total(outcomes) + "\n")
    return int(any(o.failed or not (o.holds or o.skipped) for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
