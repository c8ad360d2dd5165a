"""`make bench`: what the hot path costs, and how long the wire waits, beside what a user would pick instead."""

import importlib.util
import os
import platform
from argparse import ArgumentParser

from rich.console import Console

from tests.bench import appends, cycle, scrapes, stages, suite, trees, wire


def main() -> None:
    """Print every table."""
    parser = ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    share = 10 if parser.parse_args().quick else 1
    console = Console()
    load = os.getloadavg()[0]
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.2f}, Python {platform.python_version()}"
    )
    console.print(
        "Ratios and CPU times compare; wall times of a shared machine do not.", style="dim"
    )
    console.print(stages.table(20_000 // share, 500 // share))
    console.print(suite.table(10_000 // share, 600 // share))
    console.print(cycle.table())
    console.print(appends.table(100_000 // share))
    console.print(scrapes.table(40 // share))
    if importlib.util.find_spec("lightgbm") is not None:
        console.print(trees.table(20_000 // share))
    console.print(wire.table(4 if share == 1 else 1, 200))


if __name__ == "__main__":
    main()
