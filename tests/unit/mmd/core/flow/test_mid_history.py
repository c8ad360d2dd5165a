"""The history of mids against a plain list."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.flow import mid_history
from mmd.core.flow.mid_history import HISTORY, SAMPLES_MAX
from mmd.jit.kernel import interpreted, kernel, new


@kernel
def note(history, mid, net, now_ns):
    mid_history.note(history[0], mid, net, now_ns)


@kernel
def mid_at(history, ts_ns):
    return mid_history.mid_at(history[0], ts_ns)


@kernel
def oldest_ns(history):
    return mid_history.oldest_ns(history[0])


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 99)), max_size=30), st.integers(-2, 160)
)
def test_the_mid_in_force_is_the_last_noted_before(samples, asked_ns):
    """At equal times the later one; 0 before the first."""
    history, now_ns, expected = new(HISTORY), 0, 0
    for wait_ns, mid in samples:
        now_ns += wait_ns
        note(history, mid, 0, now_ns)
        if now_ns <= asked_ns:
            expected = mid
    assert mid_at(history, asked_ns) == expected


def test_a_full_history_forgets_the_oldest():
    """What is older than the ring is unknown, not guessed; compiled and interpreted agree."""
    history = new(HISTORY)
    for k in range(SAMPLES_MAX + 10):
        note(history, 1 + k, k, 10 * k)
    assert oldest_ns(history) == 100
    for asked_ns in (99, 100, 105, 10 * SAMPLES_MAX, 10**9):
        assert mid_at(history, asked_ns) == (
            0 if asked_ns < 100 else 1 + min(asked_ns // 10, SAMPLES_MAX + 9)
        )
        plain = SimpleNamespace(py=getattr(mid_at, "py_func", mid_at)).py
        assert interpreted(plain)(history, asked_ns) == mid_at(history, asked_ns)
