"""Who listens to which stream; each message is encoded once and its bytes go to every listener."""

from collections.abc import Callable

from adapters.binance_spot.sandbox_connection import Connection, frame_of
from adapters.binance_spot.sandbox_faults import FrameFault, FrameFaults
from adapters.binance_spot.sandbox_wrong_frames import damaged, unknown_event

MILLISECOND_NS = 1_000_000
MICROSECOND_NS = 1_000

Make = Callable[[int], bytes]
"""Writes a payload whose times are in the given number of nanoseconds."""
OnFrame = Callable[[int, str, int], None]


class Listener:
    """A connection's form of the streams: wrapped in {"stream","data"} or raw, and its unit of time."""

    __slots__ = ("combined", "connection", "streams", "unit_ns")

    def __init__(self, connection: Connection, *, combined: bool, unit_ns: int) -> None:
        self.connection = connection
        self.combined = combined
        self.unit_ns = unit_ns
        self.streams: dict[str, None] = {}


class StreamHub:
    """Subscriptions by stream name.

    Args:
        machine_ns: The machine's clock, for the hook.
        on_subscribe: Called with the name after a listener joined a stream.
        on_frame_sent: Optional; called with (machine time, stream, update id) as a frame is written.

    `faults` says which messages go wrong.
    """

    def __init__(
        self,
        machine_ns: Callable[[], int],
        on_subscribe: Callable[[str], None],
        on_frame_sent: OnFrame | None = None,
    ) -> None:
        self.faults = FrameFaults()
        self._listeners: dict[str, dict[Listener, None]] = {}
        self._overtaken: dict[str, list[tuple[Connection, bytes]]] = {}
        self._machine_ns = machine_ns
        self._on_subscribe = on_subscribe
        self._on_frame_sent = on_frame_sent

    def subscribe(self, listener: Listener, stream: str) -> None:
        """Start a stream for a listener; unknown names are accepted and stay silent, as at the venue."""
        listener.streams[stream] = None
        self._listeners.setdefault(stream, {})[listener] = None
        self._on_subscribe(stream)

    def unsubscribe(self, listener: Listener, stream: str) -> None:
        """Stop a stream for a listener."""
        listener.streams.pop(stream, None)
        listeners = self._listeners.get(stream, {})
        listeners.pop(listener, None)
        if not listeners:
            self._listeners.pop(stream, None)

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        for stream in list(listener.streams):
            self.unsubscribe(listener, stream)

    def is_heard(self, stream: str) -> bool:
        """Whether anybody listens."""
        return stream in self._listeners

    def backlog(self) -> int:
        """The most bytes that wait for any one listener."""
        return max((c.backlog for c in self._connections()), default=0)

    def flush(self) -> None:
        """Write what has gathered for lossless listeners."""
        for connection in self._connections():
            connection.flush()

    async def drain(self) -> None:
        """Wait until every listener has taken most of what was written."""
        for connection in self._connections():
            await connection.drain()

    def _connections(self) -> set[Connection]:
        return {x.connection for listeners in self._listeners.values() for x in listeners}

    def publish(self, stream: str, make: Make, update_id: int = 0) -> None:
        """Send a message to all listeners of a stream."""
        listeners = self._listeners.get(stream)
        if listeners is None:
            return
        fault = self.faults.take(stream)
        if fault is FrameFault.GAP:
            return
        frames: dict[tuple[int, bool], bytes] = {}
        sent: list[tuple[Connection, bytes]] = []
        for listener in listeners:
            form = (listener.unit_ns, listener.combined)
            frame = frames.get(form)
            if frame is None:
                payload = make(listener.unit_ns)
                if listener.combined:
                    payload = b'{"stream":"%b","data":%b}' % (stream.encode(), payload)
                if fault is not None:
                    payload = damaged(payload, fault)
                frame = frames[form] = frame_of(payload)
                if fault is FrameFault.UNKNOWN_EVENT:
                    frame = frames[form] = frame_of(unknown_event()) + frame
            sent.append((listener.connection, frame))
        if fault is FrameFault.REORDER:
            self._overtaken.setdefault(stream, []).extend(sent)
            return
        self._send(stream, update_id, sent * 2 if fault is FrameFault.DUPLICATE else sent)
        self._send(stream, update_id, self._overtaken.pop(stream, []))

    def announce(self, make: Make) -> None:
        """Send a message that is not of any stream to all listeners, wrapped where they want that."""
        listeners = {x for of_stream in self._listeners.values() for x in of_stream}
        for listener in listeners:
            payload = make(listener.unit_ns)
            if listener.combined:
                payload = b'{"stream":"!serverShutdown","data":%b}' % payload
            listener.connection.send_text(payload)

    def _send(self, stream: str, update_id: int, frames: list[tuple[Connection, bytes]]) -> None:
        for connection, frame in frames:
            if self._on_frame_sent is not None:
                self._on_frame_sent(self._machine_ns(), stream, update_id)
            connection.send(frame)
