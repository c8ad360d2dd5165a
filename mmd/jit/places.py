"""Records by their addresses: a kernel of many records takes a single one, which says where the others are.

To take an array apart costs the caller 60 ns when all is in the caches and twice that when it is not, so that a kernel of
ten records is called in less than half of the time. Whoever makes a record of addresses keeps the records alive.
"""

import ctypes
from typing import Any

import numpy as np
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

from mmd.jit.kernel import Rec, layout, new


def places(**records: Rec) -> Rec:
    """Record of the addresses of records, as fields of their names."""
    found = new(layout(*((name, "i8") for name in records)))
    for name, record in records.items():
        found[name] = record.ctypes.data
    return found


def _interpreted_bytes(address: int, size: int) -> Any:
    raw = (ctypes.c_uint8 * int(size)).from_address(int(address))
    return np.frombuffer(memoryview(raw), np.uint8)


def _interpreted(address: int, dtype: "np.dtype[np.void]") -> Rec:
    raw = (ctypes.c_uint8 * dtype.itemsize).from_address(int(address))
    return np.frombuffer(memoryview(raw), dtype).view(np.recarray)


def _array_at(context: Any, builder: Any, array: Any, address: Any, shape: Any) -> Any:
    """An array of one dimension over memory that is somebody else's."""
    made = context.make_array(array)(context, builder)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(made.data.type.pointee))
    if isinstance(array.dtype, types.Record):
        itemsize = context.get_constant(types.intp, array.dtype.size)
    arrayobj.populate_array(
        made,
        data=builder.inttoptr(address, made.data.type),
        shape=cgutils.pack_array(builder, [shape]),
        strides=cgutils.pack_array(builder, [itemsize]),
        itemsize=itemsize,
        meminfo=None,
    )
    return made._getvalue()  # noqa: SLF001 - numba's own way


@intrinsic  # type: ignore[untyped-decorator]
def _compiled(_: Any, address: Any, dtype: Any) -> Any:
    array = types.Array(dtype.dtype, 1, "C", aligned=False)

    def emit(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        one = context.get_constant(types.intp, 1)
        return _array_at(context, builder, array, args[0], one)

    return array(types.int64, dtype), emit


@intrinsic  # type: ignore[untyped-decorator]
def _compiled_bytes(_: Any, address: Any, size: Any) -> Any:
    array = types.Array(types.uint8, 1, "C")

    def emit(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _array_at(context, builder, array, args[0], args[1])

    return array(types.int64, types.int64), emit


record_at: Any = _interpreted if config.DISABLE_JIT else _compiled
"""The record of a dtype, which must be a constant of the kernel's module, at an address."""
bytes_at: Any = _interpreted_bytes if config.DISABLE_JIT else _compiled_bytes
"""So many bytes of memory at an address, to read and to write."""
