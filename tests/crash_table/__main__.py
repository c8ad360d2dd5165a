"""Kills the daemon at every named step and prints what was lost: `python -m tests.crash_table --seeds 20`."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from mmd.journal.kill_points import KillPoint
from tests.crash_table.simulated import POINTS, Killed, run_seed, seeds


def table(results: list[Killed]) -> str:
    """Markdown: each point with how often a daemon died there, and in how many worlds something was lost after."""
    times: Counter[KillPoint] = Counter()
    broken: Counter[KillPoint] = Counter()
    for result in results:
        times.update(result.reached)
        if result.broken:
            broken.update(result.reached.keys())
    lines = [
        "| killed at | times | orders lost | fills lost | position drift |",
        "|---|--:|--:|--:|--:|",
    ]
    for point in POINTS:
        lost = str(broken[point]) if broken[point] else "0"
        lines.append(f"| {point.name} | {times[point]} | {lost} | {lost} | {lost} |")
    return "\n".join(lines)


def main() -> int:
    """The command; returns 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_table", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--markdown", type=Path, help="write the table there as well")
    given = parser.parse_args()
    began_s = time.monotonic()
    results: list[Killed] = []
    for seed in seeds(given.seeds):
        results.append(run_seed(seed))
        last = results[-1]
        print(
            f"seed {seed}: {last.crashes} crashes, {last.orders} orders, {last.fills} fills: "
            f"{last.broken or 'nothing lost'}",
            flush=True,
        )
    said = (
        f"{len(POINTS)} kill points, {len(results)} seeds: {sum(r.crashes for r in results)} crashes, "
        f"{sum(r.orders for r in results):,} orders, {sum(r.fills for r in results):,} fills, "
        f"{sum(r.checks_at_rest for r in results):,} comparisons with the exchange at rest; "
        f"{sum(bool(r.broken) for r in results)} seeds lost something ({time.monotonic() - began_s:.0f} s)"
    )
    text = f"{table(results)}\n\n{said}\n"
    print(text)
    if given.markdown is not None:
        given.markdown.write_text(text)
    return int(any(r.broken for r in results))


if __name__ == "__main__":
    sys.exit(main())
