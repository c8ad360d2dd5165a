"""A market that moves on every frame, so that any maker has to requote on every frame.

A frame changes 31 levels, about as many as one of a busy perpetual's.
"""

from collections.abc import Iterator
from pathlib import Path

SYMBOL = "BENCHUSDT"
LEVELS = 20
STEP_TICKS = 7
"""How far the touch jumps to and fro: less than a half spread, so that nothing is filled, and no multiple of
the distance of levels, so that no order keeps its place."""
HALF_SPREAD_BPS = 40
"""So wide that no order shares a level with the market."""
MARK = b'"5.00'
"""In every frame of a move (quantities of the market begin so), in none that only tells of a client's own orders."""
_MID_TICKS = 10_000


def _levels(mid: int, side: int, size: int) -> dict[int, int]:
    sign = -1 if side == 0 else 1
    return {mid + sign * (1 + i): size for i in range(LEVELS)}


def _rows(levels: dict[int, int]) -> str:
    rows = (f'["{px / 100:.8f}","{sz / 1000:.8f}"]' for px, sz in levels.items())
    return f"[{','.join(rows)}]"


def frames(count: int) -> Iterator[tuple[int, str]]:
    """(update id, combined-stream depth frame) of so many moves; the book before them is `snapshot`."""
    before = [_levels(_MID_TICKS, side, 5_000) for side in range(2)]
    for n in range(count):
        mid = _MID_TICKS + STEP_TICKS * ((n + 1) % 2)
        after = [
            _levels(mid, side, 5_000) | {mid + 2 * side - 1: 5_001 + n % 7} for side in range(2)
        ]
        changed = [
            {px: 0 for px in old if px not in new}
            | {px: lots for px, lots in new.items() if old.get(px) != lots}
            for old, new in zip(before, after, strict=True)
        ]
        before = after
        stream = f"{SYMBOL.lower()}@depth@100ms"
        yield (
            n + 2,
            (
                f'{{"stream":"{stream}","data":{{"e":"depthUpdate","E":1700000000000,"s":"{SYMBOL}",'
                f'"U":{n + 2},"u":{n + 2},"b":{_rows(changed[0])},"a":{_rows(changed[1])}}}}}'
            ),
        )


def snapshot() -> str:
    """The REST snapshot that the frames continue."""
    sides = [_rows(_levels(_MID_TICKS, side, 5_000)) for side in range(2)]
    return f'{{"lastUpdateId":1,"bids":{sides[0]},"asks":{sides[1]}}}'


def write_tape(path: Path, count: int, gap_ns: int, quiet_ns: int) -> None:
    """A recording of the market, one move every gap_ns after a quiet start for clients to settle in."""
    start_ns = 1_700_000_000_000_000_000
    with path.open("w") as out:
        out.write(f"{start_ns} {snapshot()}\n")
        for update_id, frame in frames(count):
            out.write(f"{start_ns + quiet_ns + (update_id - 2) * gap_ns} {frame}\n")
