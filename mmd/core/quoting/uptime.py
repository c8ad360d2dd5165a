"""Quoting uptime: the share of the time in which orders rested on both sides."""


class Uptime:
    """Adds up time between samples by what held at the later one.

    Attributes:
        timed_ns: time watched.
        quoted_ns: how much of it was quoted on both sides.
    """

    __slots__ = ("_last_ns", "quoted_ns", "timed_ns")

    def __init__(self) -> None:
        self.timed_ns = self.quoted_ns = 0
        self._last_ns: int | None = None

    def on_time(self, now_ns: int, *, is_quoting: bool) -> None:
        """One sample; the first starts the watch."""
        if self._last_ns is not None:
            elapsed_ns = now_ns - self._last_ns
            self.timed_ns += elapsed_ns
            self.quoted_ns += elapsed_ns if is_quoting else 0
        self._last_ns = now_ns

    @property
    def ratio(self) -> float | None:
        """Quoted over watched; None while nothing was watched."""
        return self.quoted_ns / self.timed_ns if self.timed_ns > 0 else None
