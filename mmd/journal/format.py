"""The journal on disk: a folder per session, numbered segments, self-checking records.

A segment is a sequence of records, zero-filled to its preallocated size while it is written:

    u32 length of body | u32 CRC32C of all that follows | u64 sequence | u8 kind | body

A length of zero ends a segment. Sequences run from 1 across segments without a hole. Kinds:

    HEADER   msgpack SessionSpec; first record of every segment
    MARKET   packed market record (mmd.core.market.record)
    EVENT    msgpack event (mmd.core.events)
    COMMAND  msgpack command (mmd.core.commands): the intent, written before its bytes leave the process
"""

import struct
from enum import IntEnum
from mmap import mmap
from typing import NamedTuple

import msgspec
from crc32c import crc32c

from mmd.core.commands import Command
from mmd.core.events import Event
from mmd.core.spec import SessionSpec

HEAD = struct.Struct("<IIQB")
CHECKED = struct.Struct("<QB")
"""The part of the head that the checksum covers, together with the body."""
CHECKED_FROM = HEAD.size - CHECKED.size
"""Offset in the head at which it begins."""
_HEAD_SIZE = HEAD.size
_pack_head_into, _pack_checked = (
    HEAD.pack_into,
    CHECKED.pack,
)  # bound once: asked for on each record
WriteableBuffer = mmap | bytearray
BODY_MAX = 16 * 1024 * 1024
SUFFIX = ".mmdj"


class Kind(IntEnum):
    """What a record's body is."""

    HEADER = 1
    MARKET = 2
    EVENT = 3
    COMMAND = 4


class Record(NamedTuple):
    """One verified record and where it stands."""

    sequence: int
    kind: Kind
    body: bytes
    segment: str
    offset: int


def write_record(
    out: WriteableBuffer, at: int, sequence: int, kind: int, body: bytes | memoryview
) -> int:
    """Write one record; returns where it ends. Body before head: it exists from the moment its length does."""
    size = len(body)
    start = at + _HEAD_SIZE
    end = start + size
    out[start:end] = body
    checksum = crc32c(body, crc32c(_pack_checked(sequence, kind)))
    _pack_head_into(out, at, size, checksum, sequence, kind)
    return end


encoder = msgspec.msgpack.Encoder()
event_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)
command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
spec_decoder: msgspec.msgpack.Decoder[SessionSpec] = msgspec.msgpack.Decoder(SessionSpec)
