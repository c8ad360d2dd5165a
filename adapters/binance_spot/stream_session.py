"""The market-data connection's own talk: which streams it asks for, and its frames without market data.

The streams are named in the address, so there is nothing to subscribe and no answer to wait for. Keep-alive
is WebSocket pings, which the transport does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from adapters.binance_spot.wire import StreamControl, decode
from mmd.core.instrument import Instrument
from mmd.errors import CodecError, VenueError

_STREAMS = ("depth@100ms", "trade", "bookTicker", "depth20@100ms")
_SHUTDOWN = "serverShutdown"
STREAMS_PER_INSTRUMENT = len(_STREAMS)
STREAMS_MAX = 1_024
"""Per connection. Source: web-socket-streams.md, "WebSocket Limits"."""


def stream_target(instruments: Sequence[Instrument]) -> str:
    """Path and query of the combined stream: diffs, trades, tops and 20 levels of each instrument.

    Raises:
        VenueError: more streams than one connection may have.
    """
    names = [f"{i.symbol.lower()}@{stream}" for i in instruments for stream in _STREAMS]
    if len(names) > STREAMS_MAX:
        raise VenueError(
            f"expected at most {STREAMS_MAX // len(_STREAMS)} instruments on one connection, "
            f"found {len(instruments)}"
        )
    return f"/stream?streams={'/'.join(names)}"


def groups_of(
    instruments: Sequence[Instrument], streams_max: int, instruments_max: int
) -> list[Sequence[Instrument]]:
    """Instruments divided among as few connections as the limits on each allow, in order."""
    size = max(1, min(streams_max // len(_STREAMS), instruments_max))
    return [instruments[at : at + size] for at in range(0, len(instruments), size)]


class Control(NamedTuple):
    """What a frame without market data says."""

    announces_shutdown: bool = False
    """The server will close this connection."""
    unknown: str = ""
    """The name of an event that the documents do not list: news of the venue's, and none of ours."""


def read_control(frame: bytes) -> Control:
    """Read a frame that is no market data: a notice, an event of a kind that is new, the answer to a request.

    Raises:
        VenueError: the server reports an error.
        CodecError: no message of this venue at all.
    """
    control = decode(frame, StreamControl, "market-data connection")
    if _SHUTDOWN in (control.event, control.stream.removeprefix("!")):
        return Control(announces_shutdown=True)
    if control.error is not None:
        raise VenueError(f"market-data connection: {control.error.msg}", control.error.code)
    if control.code is not None:
        raise VenueError(f"market-data connection: {control.msg}", control.code)
    if control.event or control.stream:
        return Control(unknown=control.event or control.stream)
    if control.id is None:
        name = frame[:80].decode("utf-8", "replace")
        raise CodecError(f"market-data connection: unknown message {name!r}")
    return Control()
