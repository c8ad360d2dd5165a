"""The picture for other processes: whole for those who read it, in pieces for the loop that takes it."""

import asyncio
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mmd.ops.picture import Picture
from mmd.ops.publisher import AT_ONCE, Publisher
from mmd.ops.shared_state import SharedStateReader, SharedStateWriter
from mmd.ops.state import InstrumentState, State
from tests.ops_state import picture_of, quoting, state_of

MANY = 20


def many(taken: list[int]) -> Picture:
    """A daemon of many instruments; `taken` hears which of them was taken, and each tells how often as its fills."""
    bench = quoting()
    (one,) = state_of(bench).instruments

    def take(at: int) -> InstrumentState:
        taken.append(at)
        return replace(one, symbol=f"S{at}", fills=taken.count(at))

    return Picture(picture_of(bench).session, [lambda at=at: take(at) for at in range(MANY)])


async def test_readers_see_what_was_taken(tmp_path: Path) -> None:
    """A publication of a real daemon reads as the picture taken at once."""
    picture = picture_of(quoting())
    await Publisher(SharedStateWriter(tmp_path / "state"), picture).publish()
    whole = msgspec.msgpack.decode(msgspec.msgpack.encode(picture.whole()), type=State)
    assert SharedStateReader(tmp_path / "state").read() == whole


async def test_of_many_instruments_all_are_shown_and_some_taken_anew(tmp_path: Path) -> None:
    """The first publication has all; later ones take their turn, none is left behind."""
    taken: list[int] = []
    publisher = Publisher(SharedStateWriter(tmp_path / "state"), many(taken))
    reader = SharedStateReader(tmp_path / "state")
    await publisher.publish()
    assert [i.symbol for i in reader.read().instruments] == [f"S{at}" for at in range(MANY)]
    for _ in range(5):
        before = len(taken)
        await publisher.publish()
        assert len(taken) - before == AT_ONCE
    assert [taken.count(at) for at in range(MANY)] == [i.fills for i in reader.read().instruments]
    assert {taken.count(at) for at in range(MANY)} <= {3, 4}


async def test_the_loop_goes_round_between_two_pieces(tmp_path: Path) -> None:
    """What became ready while one instrument was taken is served before the next is."""
    loop, rounds, seen = asyncio.get_running_loop(), [0], []
    picture = many([])

    def arrive() -> None:
        rounds[0] += 1

    def watched(take: object) -> InstrumentState:
        seen.append(rounds[0])
        loop.call_soon(arrive)
        return take()  # type: ignore[no-any-return, operator]

    takes = [lambda take=take: watched(take) for take in picture.instruments]
    publisher = Publisher(
        SharedStateWriter(tmp_path / "state"), picture._replace(instruments=takes)
    )
    await publisher.publish()
    assert seen == list(range(len(seen)))
