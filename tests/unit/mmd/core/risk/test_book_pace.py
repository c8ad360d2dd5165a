"""A quiet instrument's book may be older before it is stale; a dead feed's may not."""

import msgspec
import pytest

from mmd.config_risk import RiskSection
from mmd.core.risk.book_pace import STEPS, BookPace
from mmd.core.units import NANOS_PER_SECOND

_FLOOR_NS = 3 * NANOS_PER_SECOND
_MAX_NS = 30 * NANOS_PER_SECOND


def pace(pauses: float = 30.0) -> BookPace:
    """The settings' own limits: 3 s to 30 s."""
    return BookPace(msgspec.structs.replace(RiskSection().spec(), stale_book_pauses=pauses))


def played(watched: BookPace, pause_s: float, seconds: int, start_s: int = 1) -> None:
    """Messages at equal pauses, a step each second."""
    for second in range(start_s, start_s + seconds):
        watched.on_step(int(second / pause_s), second * NANOS_PER_SECOND)


@pytest.mark.parametrize(
    ("pause_s", "age_ns_max"), [(0.01, _FLOOR_NS), (0.5, 15 * NANOS_PER_SECOND), (2.0, _MAX_NS)]
)
def test_the_limit_is_a_multiple_of_the_pause_within_its_bounds(
    pause_s: float, age_ns_max: int
) -> None:
    """Busy: the fixed age; quiet: thirty pauses; very quiet: the longest that is allowed."""
    watched = pace()
    played(watched, pause_s, 60 * STEPS)
    assert watched.pause_ns == pytest.approx(pause_s * NANOS_PER_SECOND, rel=0.1)
    assert watched.age_ns_max == pytest.approx(age_ns_max, rel=0.1)


def test_a_silence_does_not_lengthen_the_limit() -> None:
    """What never comes is no pause: an hour without a message leaves the limit where it was."""
    watched = pace()
    played(watched, 0.5, 5 * STEPS + 1)
    before = watched.age_ns_max
    assert before > _FLOOR_NS
    last = int((5 * STEPS + 1) / 0.5)
    for second in range(5 * STEPS + 2, 3_600):
        assert not watched.on_step(last, second * NANOS_PER_SECOND)
    assert watched.age_ns_max == before


def test_sessions_recorded_before_keep_the_fixed_age() -> None:
    """Without pauses nothing is counted and nothing changes."""
    watched = pace(0.0)
    played(watched, 2.0, 5 * STEPS)
    assert watched.age_ns_max == _FLOOR_NS
