"""CRC32C inside kernels: the processor's own instruction where there is one, a table elsewhere.

The functions take and return the checksum of what came before, 0 for nothing, as the crc32c library does.
Source: RFC 3720 appendix B.4 (the polynomial, reflected: 0x82f63b78).
"""

import platform
from typing import Any, Final

import llvmlite.binding  # type: ignore[import-untyped]
import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from mmd.jit.kernel import leaf

_POLYNOMIAL = 0x82F63B78
_MASK: Final = 0xFFFFFFFF


def _entry(byte: int) -> int:
    """What a byte adds to the checksum."""
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = np.array([_entry(byte) for byte in range(256)], np.int64)


def _has_instruction() -> bool:
    """Whether kernels may be compiled with x86's crc32."""
    is_x86 = platform.machine() in {"x86_64", "AMD64"} and config.CPU_NAME != "generic"
    return (
        is_x86
        and not config.DISABLE_JIT
        and llvmlite.binding.get_host_cpu_features().get("sse4.2", False)
    )


@leaf
def _byte_by_table(crc: int, byte: int) -> int:
    entry: int = _TABLE[(crc ^ byte) & 255]
    return entry ^ crc >> 8


@leaf
def _word_by_table(crc: int, word: int) -> int:
    for k in range(8):
        crc = _byte_by_table(crc, word >> 8 * k & 255)
    return crc


def _instruction(name: str, bits: int, operand: int) -> Any:
    """The LLVM intrinsic `name` as a function of two integers: checksum (of `bits`) and operand."""

    @intrinsic  # type: ignore[untyped-decorator]
    def call(_: Any, crc: Any, value: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            kinds = ir.IntType(bits), ir.IntType(operand)
            declared = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(kinds[0], kinds), name
            )
            given = [
                builder.trunc(arg, kind) if kind.width < 64 else arg
                for arg, kind in zip(args, kinds, strict=True)
            ]
            result = builder.call(declared, given)
            return builder.zext(result, ir.IntType(64)) if bits < 64 else result

        return types.int64(types.int64, types.int64), emit

    return call


if _has_instruction():
    _add_word = _instruction("llvm.x86.sse42.crc32.64.64", 64, 64)
    _add_byte = _instruction("llvm.x86.sse42.crc32.32.8", 32, 8)
else:
    _add_word, _add_byte = _word_by_table, _byte_by_table


@leaf
def begin() -> int:
    """The register before the first byte."""
    return _MASK


@leaf
def add_word(register: int, word: int) -> int:
    """Take in eight bytes, the lowest first."""
    added: int = _add_word(register, word)
    return added


@leaf
def add_byte(register: int, byte: int) -> int:
    """Take in one byte."""
    added: int = _add_byte(register, byte)
    return added


@leaf
def finish(register: int) -> int:
    """The checksum of all that was taken in."""
    return register ^ _MASK
