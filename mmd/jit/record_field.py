"""Fields of a record as attributes of the Python object that owns it: what kernels read and Python sets.

For attributes that Python touches now and then; on the hot path a kernel reads the record itself.
"""

from typing import Generic, Protocol, TypeVar

import numpy as np

from mmd.jit.kernel import Rec

T = TypeVar("T")


class OwnsWords(Protocol):
    """An object whose record is read and written through a flat memoryview of its 8-byte words."""

    words: "memoryview[int]"


def word_of(dtype: "np.dtype[np.void]", name: str) -> int:
    """Where a field begins, in 8-byte words."""
    fields = dtype.fields
    assert fields is not None, "expected the dtype of a record"
    return fields[name][1] // 8


class Field(Generic[T]):
    """One integer field of a record, as a Python type: int, bool or an IntEnum."""

    __slots__ = ("_at", "_kind")
    _kind: type[T] | None
    """None for integers, which are the words themselves."""

    def __init__(self, dtype: "np.dtype[np.void]", name: str, kind: type[T]) -> None:
        """`dtype` is the record's, `kind` makes the attribute's value of an integer."""
        self._at = word_of(dtype, name)
        self._kind = None if kind is int else kind

    def __get__(self, owner: OwnsWords, _: type[OwnsWords] | None = None) -> T:
        """The field's value."""
        word, kind = owner.words[self._at], self._kind
        return word if kind is None else kind(word)  # type: ignore[call-arg, return-value]

    def __set__(self, owner: OwnsWords, value: T) -> None:
        """Overwrite the field."""
        owner.words[self._at] = int(value)  # type: ignore[call-overload]


def words(record: Rec) -> "memoryview[int]":
    """A record's 8-byte words as integers."""
    return memoryview(record.view("i8"))
