"""Feeds every decoder with wrong messages: `python -m tests.fuzz --frames 1000000`; goes on where it was stopped."""

import argparse
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.fuzz import file_targets, market_targets, order_targets
from tests.fuzz.mutate import mutated

CHUNK = 2_000
HANG_S = 30.0
_SLOW_S = 1.0


class Target(Protocol):
    """A decoder and what must hold of it."""

    name: str
    seeds: Sequence[bytes]

    def check(self, frame: bytes) -> str:
        """What came of a frame; raises where something is wrong with the decoder."""
        ...


TARGETS: tuple[Callable[[], Any], ...] = (
    market_targets.StreamTarget,
    market_targets.SnapshotTarget,
    order_targets.UserDataTarget,
    order_targets.ReplyTarget,
    order_targets.RestTarget,
    order_targets.ExchangeInfoTarget,
    file_targets.JournalTarget,
    file_targets.RecordTarget,
    file_targets.TapeSourceTarget,
    file_targets.ControlTarget,
)


class FoundError(Exception):
    """A frame that a decoder cannot cope with; it was written to a file."""


def fuzz(
    target: Target,
    chunks: range,
    seed: int,
    folder: Path,
    on_chunk: Callable[[int, Counter[str]], None],
) -> None:
    """Check CHUNK frames for each chunk. Raises: FoundError."""
    signal.signal(signal.SIGPROF, _on_hang)
    for frame in target.seeds:
        target.check(frame)  # compiles
    for chunk in chunks:
        rng = random.Random(f"{target.name} {seed} {chunk}")
        seen: Counter[str] = Counter()
        for _ in range(CHUNK):
            frame = mutated(target.seeds, rng)
            signal.setitimer(signal.ITIMER_PROF, HANG_S)
            try:
                seen[target.check(frame)] += 1
            except Exception as error:
                path = folder / f"{target.name.replace(' ', '-')}-{chunk}.bin"
                path.write_bytes(frame)
                raise FoundError(f"{target.name}: {error!r}: the frame is in {path}") from error
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        on_chunk(chunk, seen)


def _on_hang(*_: object) -> None:
    raise TimeoutError(f"a frame took more than {HANG_S:.0f} s of CPU")


def main() -> int:
    """The command; returns 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="for each decoder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="decoders with this in their name")
    parser.add_argument("--folder", type=Path, default=Path("var/fuzz"), help="progress, findings")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    found = 0
    for make in TARGETS:
        if given.only and not any(part in make.name for part in given.only):
            continue
        try:
            _run(make(), given.frames, given.seed, given.folder)
        except FoundError as error:
            found += 1
            print(f"FOUND {error}", file=sys.stderr)
    return int(found > 0)


def _run(target: Any, frames: int, seed: int, folder: Path) -> None:
    """One decoder, from where the last run with this seed was stopped."""
    path = folder / f"{target.name.replace(' ', '-')}-{seed}.json"
    state = json.loads(path.read_text()) if path.exists() else {"chunks": 0, "s": 0.0, "seen": {}}
    seen, began = Counter(state["seen"]), time.perf_counter()
    done_before, spent_before = state["chunks"], state["s"]

    def on_chunk(chunk: int, of_chunk: Counter[str]) -> None:
        seen.update(of_chunk)
        spent = spent_before + time.perf_counter() - began
        state.update(chunks=chunk + 1, s=spent, seen=dict(seen))
        whole = path.with_suffix(".part")
        whole.write_text(json.dumps(state))
        whole.replace(path)  # stopped at any moment, it goes on from one count or the other
        if sys.stderr.isatty():
            print(f"\r{target.name}: {(chunk + 1) * CHUNK:,}", end="", file=sys.stderr)

    try:
        fuzz(target, range(done_before, -(-frames // CHUNK)), seed, folder, on_chunk)
    finally:
        if hasattr(target, "close"):
            target.close()
    total = state["chunks"] * CHUNK
    outcome = ", ".join(f"{name} {count:,}" for name, count in sorted(state["seen"].items()))
    print(
        f"{target.name} | {total:,} | {total / max(state['s'], 1e-9):,.0f}/s | {outcome}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
