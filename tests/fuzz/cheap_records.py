"""Makes records cheap for a decoder that is built anew for each frame; what it does with them stays the same.

An importer of tapes allocates megabytes of books and rows, and binds kernels to them. Two things made that three
quarters of a frame's cost: numba works out the type of a record with each binding, and glibc, once such a block was
freed, keeps it and clears it by hand instead of mapping untouched pages.
"""

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest import mock

import numba
import numpy as np

_M_MMAP_THRESHOLD: Final = -3
_THRESHOLD_BYTES: Final = 128 * 1024
"""The default, which setting it keeps from growing."""


@contextlib.contextmanager
def cheap_records() -> Iterator[None]:
    """Until the end of the block. Source: mallopt(3), M_MMAP_THRESHOLD."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # not glibc: slower, nothing else
        mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)
    with mock.patch.object(numba, "typeof", _remembered(numba.typeof)):
        yield


def _remembered(typeof: Callable[..., Any]) -> Callable[..., Any]:
    """Types of records by their dtype, which is kept so that no other takes its place."""
    known: dict[tuple[int, int, bool, bool], tuple[Any, object]] = {}

    def of(value: Any, *purpose: Any) -> Any:
        if not isinstance(value, np.ndarray) or purpose or not value.flags.c_contiguous:
            return typeof(value, *purpose)
        key = id(value.dtype), value.ndim, value.flags.writeable, value.flags.aligned
        if key not in known:
            known[key] = typeof(value), value.dtype
        return known[key][0]

    return of
