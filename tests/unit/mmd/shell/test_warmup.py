"""What is shown of compilations."""

import numba
import numpy as np
import pytest

from mmd.shell.warmup import compile_progress


def test_compilations_are_counted_timed_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    """One that calls another is one; a line at the start, one at the end, on standard error."""

    @numba.njit
    def inner(x):
        return x + 1

    @numba.njit
    def outer(x):
        return inner(x) * 2

    with compile_progress() as progress:
        assert outer(3) == 8
        assert outer(4) == 10
    assert progress.compiled == 1
    assert progress.seconds > 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[0].startswith("compiling kernels")
    assert told.err.splitlines()[-1].startswith("compiled 1 kernel in ")


def test_silence_where_nothing_is_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is anything heard of compilations outside of the block."""
    with compile_progress() as progress:
        pass

    @numba.njit
    def later(x):
        return x * 2.0

    later(np.float64(1.0))
    assert (progress.compiled, progress.seconds) == (0, 0.0)
    assert capsys.readouterr().err == ""
