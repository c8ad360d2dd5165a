"""Pictures into diffs: applied to a dict they give the next picture, whatever it is."""

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.market.record import DIFF, SNAPSHOT
from mmd.tape.importers.depth_diff import DepthDiff

_SIDE = st.dictionaries(st.integers(1, 12), st.integers(1, 5), max_size=6)


@given(st.lists(st.tuples(_SIDE, _SIDE), min_size=1, max_size=20))
def test_changes_lead_from_picture_to_picture(
    pictures: list[tuple[dict[int, int], dict[int, int]]],
) -> None:
    """The first is a snapshot; None is said only where nothing changed."""
    depth, held = DepthDiff(), ({}, {})
    for n, picture in enumerate(pictures):
        before = (dict(held[0]), dict(held[1]))
        change = depth.update(list(picture[0].items()), list(picture[1].items()))
        if change is None:
            assert before == picture
            continue
        assert change.kind == (DIFF if n else SNAPSHOT)
        for side, levels in zip(held, (change.bids, change.asks), strict=True):
            for ticks, lots in levels:
                side.pop(ticks, None)
                if lots:
                    side[ticks] = lots
        assert held == picture
        assert n == 0 or before != picture


def test_forgotten_pictures_start_again() -> None:
    """The next one is a snapshot."""
    depth = DepthDiff()
    depth.update([(1, 1)], [])
    depth.forget()
    change = depth.update([(2, 1)], [])
    assert change is not None
    assert (change.kind, change.bids) == (SNAPSHOT, [(2, 1)])
