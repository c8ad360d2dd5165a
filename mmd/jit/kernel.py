"""All that kernels need from numba: two decorators, record layouts, and binding.

A component keeps its whole state in one record (a one-element structured array). A kernel takes one to
five records and integers, returns a status code and never raises. See ARCHITECTURE.md, "Kernels".
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from mmd.jit import cache

P = ParamSpec("P")
R = TypeVar("R")
Rec = Any  # one-element structured array; numba sees its fields as attributes, numpy as items
I8 = npt.NDArray[np.int64]
F8 = npt.NDArray[np.float64]
F4 = npt.NDArray[np.float32]
_LINE = 64
_COMMON: dict[str, Any] = {"cache": True, "error_model": "numpy"}
"""The GIL stays held: no other thread can step in."""
_EXACT = {"fastmath": False}
"""Said outright, because what is not said is inherited from whichever caller happens to be compiled first."""
_array_types: dict[tuple[np.dtype[Any], int, int], Any] = {}
"""Numba's types of arrays of records, by all that they depend on."""

cache.install()


def kernel(fn: Callable[P, R]) -> Callable[P, R]:
    """Compile an IEEE-exact kernel: the same bits on every run.

    Nothing of ours lets the compiler reorder or fuse sums: it does so differently in each copy of a helper, and a process
    that compiled a kernel then calls another copy than one that found it compiled.
    """
    if numba.config.DISABLE_JIT:
        return interpreted(fn)
    return cast("Callable[P, R]", numba.njit(**_COMMON, **_EXACT)(fn))


def leaf(fn: Callable[P, R]) -> Callable[P, R]:
    """Compile a small helper that is always inlined, so that array arguments cost nothing."""
    return cast("Callable[P, R]", numba.njit(forceinline=True, **_COMMON, **_EXACT)(fn))


def layout(
    *fields: tuple[str, str] | tuple[str, str | np.dtype[np.void], tuple[int, ...]],
) -> np.dtype[np.void]:
    """Record dtype whose arrays start on cache lines.

    Args:
        fields: (name, format) or (name, format, shape), e.g. ("px", "i8", (2, 20)). Names must not
            shadow ndarray attributes (base, mean, var, size ...).
    """
    names, formats, offsets, at = [], [], [], 0
    for name, code, *shape in fields:
        fmt = np.dtype((code, cast("Any", shape[0]))) if shape else np.dtype(code)
        step = _LINE if shape else fmt.itemsize
        at = -(-at // step) * step
        names.append(name)
        formats.append(fmt)
        offsets.append(at)
        at += fmt.itemsize
    size = -(-at // _LINE) * _LINE
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})


def new(dtype: np.dtype[np.void]) -> Rec:
    """Zeroed one-element record on a cache line."""
    raw = np.zeros(dtype.itemsize + _LINE, np.uint8)
    at = -raw.ctypes.data % _LINE
    return raw[at : at + dtype.itemsize].view(dtype)


@functools.cache
def sample(dtype: np.dtype[np.void]) -> Rec:
    """A record to bind kernels with, the same for all: nothing is ever read from it or written to it."""
    return new(dtype)


def bind(fn: Callable[P, R], *args: P.args, **_: P.kwargs) -> Callable[P, R]:
    """Compile fn for these arguments now; return the code itself, free of type dispatch on each call.

    With NUMBA_DISABLE_JIT=1 that is the kernel as plain Python (see `interpreted`).
    """
    if numba.config.DISABLE_JIT:
        return fn
    types = tuple(map(_type_of, args))
    dispatcher = cast("Any", fn)
    if types not in dispatcher.overloads:
        dispatcher.compile(types)
    return cast("Callable[P, R]", dispatcher.get_overload(types))


def _type_of(value: Any) -> Any:
    """Numba's type of an argument; of a record it is made once for its dtype, which takes 0.3 ms."""
    if not isinstance(value, np.ndarray) or value.dtype.names is None:
        return numba.typeof(value)
    kind = value.dtype, value.ndim, value.flags.num
    found = _array_types.get(kind)
    if found is None:
        found = _array_types[kind] = numba.typeof(value)
    return found


def interpreted(fn: Callable[P, R]) -> Callable[P, R]:
    """The kernel as plain Python: records become recarrays so that fields read as attributes."""

    @functools.wraps(fn)
    def call(*args: P.args, **_: P.kwargs) -> R:
        views = (
            a.view(np.recarray) if isinstance(a, np.ndarray) and a.dtype.names else a for a in args
        )
        with np.errstate(all="ignore"):  # like compiled code, which says nothing of such things
            return cast("Callable[..., R]", fn)(*views)

    return call
