"""Frames as RFC 6455 has them, and keep-alive by the venue's times."""

import asyncio

import pytest

from adapters.binance_spot.sandbox_connection import BACKLOG_MAX, Connection, frame_of

SECOND = 1_000_000_000


class _Transport(asyncio.Transport):
    """Records what is written; pretends that the reader takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def _connection(*, is_lossless: bool = False) -> tuple[Connection, _Transport]:
    transport = _Transport()
    return Connection(None, None, transport, 0, is_lossless=is_lossless), transport


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (5, b"\x81\x05"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (70_000, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70"),
    ],
)
def test_frames_have_the_right_length_field(size: int, head: bytes) -> None:
    """7, 16 and 64 bit lengths."""
    assert frame_of(b"x" * size) == head + b"x" * size


def test_a_reader_that_is_too_far_behind_is_cut() -> None:
    """The bound is on bytes; after the cut nothing more is written."""
    connection, transport = _connection()
    for _ in range(BACKLOG_MAX // 100_000 + 2):
        connection.send(b"x" * 100_000)
    assert transport.aborted
    assert connection.closed
    assert len(transport.written) <= BACKLOG_MAX + 100_000


def test_a_lossless_reader_is_not_cut_and_gets_frames_in_one_piece() -> None:
    """Frames gather until they are flushed."""
    connection, transport = _connection(is_lossless=True)
    connection.send(b"one")
    connection.send(b"two")
    assert transport.written == b""
    connection.flush()
    assert transport.written == b"onetwo"


def test_a_client_without_pongs_is_cut_after_a_minute() -> None:
    """Pings at 20, 40, 60 s; a pong in between starts the minute again."""
    connection, transport = _connection()
    connection.keep_alive(19 * SECOND)
    assert transport.written == b""
    connection.keep_alive(20 * SECOND)
    assert transport.written[0] == 0x89
    connection.keep_alive(79 * SECOND)
    assert not transport.aborted
    connection.on_pong()
    connection.keep_alive(99 * SECOND)
    connection.keep_alive(158 * SECOND)
    assert not transport.aborted
    connection.keep_alive(159 * SECOND)
    assert transport.aborted


def test_a_connection_lives_a_day() -> None:
    """Even one that answers."""
    connection, transport = _connection()
    connection.keep_alive(24 * 3600 * SECOND)
    assert transport.aborted


def test_a_connection_may_live_less() -> None:
    """The limit is the exchange's to choose."""
    transport = _Transport()
    connection = Connection(None, None, transport, 0, is_lossless=False, life_ns=5 * SECOND)
    connection.keep_alive(5 * SECOND - 1)
    assert not transport.aborted
    connection.keep_alive(5 * SECOND)
    assert transport.aborted


def test_five_messages_a_second_are_allowed() -> None:
    """The sixth within a second is one too many; the next second is free again."""
    connection, _ = _connection()
    assert [connection.counts_message(i, 5) for i in range(6)] == [True] * 5 + [False]
    assert connection.counts_message(SECOND, 5)


def test_a_silent_connection_loses_what_is_sent() -> None:
    """The socket stays open."""
    connection, transport = _connection()
    connection.is_silent = True
    connection.send(b"lost")
    connection.is_silent = False
    connection.send(b"kept")
    assert (transport.written, transport.aborted) == (b"kept", False)
