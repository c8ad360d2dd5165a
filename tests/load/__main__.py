"""Load on one core: 50 instruments at 100 updates/s each, then twice what it can decide one by one.

`python -m tests.load`; with `--soak N` instead N frames as fast as they are read, with samples on the way.
"""

import argparse
import sys

from tests.load.maker import Ran, run
from tests.load.sender import start

INSTRUMENTS, UPDATES_PER_S = 50, 100


def line(name: str, ran: Ran) -> str:
    """One row of the table."""
    return (
        f"| {name} | {ran.frames / ran.wall_s:,.0f} | {ran.frames / max(ran.decisions, 1):.1f} | {ran.orders:,} | "
        f"{ran.decision_us[0]:,.0f} | {ran.decision_us[1]:,.0f} | {ran.age_ms[0]:.1f} | {ran.age_ms[1]:.1f} | "
        f"{ran.cpu_s / ran.wall_s:.0%} |"
    )


def load(seconds: float) -> None:
    """The table of `make load`."""
    print(
        "| load | frames/s | frames/decision | orders | decision p50 us | p99 us | age p50 ms | p99 ms | core |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    pace = INSTRUMENTS * UPDATES_PER_S
    _, sock = start(INSTRUMENTS, pace, round(pace * seconds))
    ran = run(INSTRUMENTS, sock)
    print(line(f"{INSTRUMENTS} instruments at {UPDATES_PER_S}/s", ran), flush=True)
    alone = (
        ran.decisions / ran.cpu_s
    )  # decisions a second that a whole core takes, each with its frames
    pace = max(2.0 * alone, 2.0 * pace)
    _, sock = start(INSTRUMENTS, pace, round(pace * seconds))
    print(line("twice what is decided one by one", run(INSTRUMENTS, sock)), flush=True)


def soak(frames: int) -> int:
    """The accelerated day of `make soak`; returns 1 where memory, descriptors or tasks grew, or a PnL does not add up."""
    _, sock = start(INSTRUMENTS, None, frames)
    ran = run(INSTRUMENTS, sock, sample_s=10.0)
    first, last = ran.samples[len(ran.samples) // 10], ran.samples[-1]
    grown = last.resident_mib / first.resident_mib - 1.0
    print(
        f"{ran.frames:,} frames, {ran.decisions:,} decisions, {ran.orders:,} orders in {ran.wall_s:.0f} s: memory "
        f"{first.resident_mib:.1f} -> {last.resident_mib:.1f} MiB ({grown:+.2%}), descriptors "
        f"{first.descriptors} -> {last.descriptors}, tasks {first.tasks} -> {last.tasks}, decision p99 "
        f"{first.decide_p99_us:.0f} -> {last.decide_p99_us:.0f} us, identity errors {ran.identity_errors}"
    )
    more = last.descriptors > first.descriptors or last.tasks > first.tasks
    return int(grown > 0.01 or more or ran.identity_errors > 0)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load")
    parser.add_argument("--soak", type=int, help="frames")
    given = parser.parse_args()
    if given.soak:
        return soak(given.soak)
    load(given.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
