"""Record layouts, binding, and kernels as plain Python."""

import numpy as np
import pytest

from mmd.jit.kernel import bind, interpreted, kernel, layout, leaf, new

COUNTER = layout(("hits", "i8"), ("weight", "f8"), ("ring", "i8", (3,)), ("flag", "i4"))


@leaf
def doubled(x):
    return 2 * x


@kernel
def count(counter, by):
    """Adds up, in place; a status comes back."""
    row = counter[0]
    row.hits += doubled(by)
    row.ring[row.hits % 3] = by
    return 1 if row.hits > 10 else 0


@kernel
def ratio(counter):
    return counter[0].weight / counter[0].hits


def test_records_start_on_cache_lines_and_so_do_their_arrays() -> None:
    """Scalars lie at their natural alignment; the whole is a multiple of a line."""
    record = new(COUNTER)
    assert record.shape == (1,)
    assert record.ctypes.data % 64 == 0
    assert COUNTER.itemsize % 64 == 0
    fields = COUNTER.fields
    assert fields is not None
    offsets = {name: field[1] for name, field in fields.items()}
    assert offsets["ring"] % 64 == 0
    assert offsets["weight"] % 8 == 0
    assert not record.tobytes().strip(b"\0")


@pytest.mark.parametrize(
    "how", [bind, lambda fn, *_: interpreted(fn)], ids=["bound", "interpreted"]
)
def test_a_kernel_changes_its_record_in_place(how) -> None:
    """Compiled or not, the same."""
    record = new(COUNTER)
    call = how(count, record, 0)
    assert [call(record, 2), call(record, 3), call(record, 1)] == [0, 0, 1]
    assert int(record["hits"][0]) == 12
    assert record["ring"][0].tolist() == [1, 3, 0]


def test_division_by_zero_is_a_number_not_an_exception() -> None:
    """Kernels never raise; IEEE says what comes out."""
    record = new(COUNTER)
    record["weight"] = 1.0
    assert np.isinf(bind(ratio, record)(record))
    record["weight"] = 0.0
    assert np.isnan(bind(ratio, record)(record))


def test_binding_twice_compiles_once() -> None:
    """The second time it is the same code."""
    record = new(COUNTER)
    assert bind(count, record, 0) is bind(count, record, 0)


def test_without_the_compiler_a_kernel_is_plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """NUMBA_DISABLE_JIT=1, for debugging and coverage: called as it is or bound, it takes the same records."""
    monkeypatch.setattr("numba.config.DISABLE_JIT", True)
    plain, record = kernel(getattr(count, "py_func", count)), new(COUNTER)
    assert plain(record, 0) == 0
    call = bind(plain, record, 0)
    assert call(record, 3) == 0
    assert int(record["hits"][0]) == 6
