"""The journal on disk: a folder per session, numbered segments, self-checking records.

A segment is a sequence of records, zero-filled to its preallocated size while it is written:

    u32 length of body | u32 CRC32C of all that follows | u64 sequence | u8 kind | body

Closed segments may be compressed (mmd.journal.retention). A length of zero ends a segment. Sequences run from 1 across segments without a hole. Kinds:

    HEADER   msgpack SessionSpec; first record of every segment
    MARKET   packed market record (mmd.core.market.record)
    EVENT    msgpack event (mmd.core.events)
    COMMAND  msgpack command (mmd.core.commands): the intent, written before its bytes leave the process
"""

import struct
from enum import IntEnum
from typing import NamedTuple

import msgspec

from mmd.core.commands import Command
from mmd.core.events import Event
from mmd.core.spec import SessionSpec

HEAD = struct.Struct("<IIQB")
CHECKED = struct.Struct("<QB")
"""The part of the head that the checksum covers, together with the body."""
CHECKED_FROM = HEAD.size - CHECKED.size
"""Offset in the head at which it begins."""
BODY_MAX = 16 * 1024 * 1024
SUFFIX = ".mmdj"
COMPRESSED = ".mmdj.zst"
"""A closed segment as one Zstandard frame with its own checksum."""


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


encoder = msgspec.msgpack.Encoder()
event_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)
command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
spec_decoder: msgspec.msgpack.Decoder[SessionSpec] = msgspec.msgpack.Decoder(SessionSpec)
