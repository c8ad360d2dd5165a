"""The checksum inside kernels is the library's, with the processor's instruction and by table."""

import crc32c as library
from hypothesis import given
from hypothesis import strategies as st

from mmd.jit import crc32c


@given(st.binary(max_size=200))
def test_the_checksum_is_the_librarys(data: bytes) -> None:
    """By table; what the kernels use is compared where they are, in the journal's tests."""
    register = crc32c.begin()
    for byte in data:
        register = crc32c._byte_by_table(register, byte)
    assert crc32c.finish(register) == library.crc32c(data)


@given(st.binary(min_size=8, max_size=8))
def test_a_word_is_its_bytes(data: bytes) -> None:
    """The lowest first."""
    register = crc32c._word_by_table(crc32c.begin(), int.from_bytes(data, "little", signed=True))
    assert crc32c.finish(register) == library.crc32c(data)
