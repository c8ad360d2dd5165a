"""For how long a backtest had orders on both sides, as far as the engine had heard."""


class Presence:
    """Adds up the time between two answers of the exchange, where there were orders on both sides after the first.

    Attributes:
        is_both: whether there were when the engine last heard anything.
        heard_ns: when that was.
        quoted_ns: the sum so far.
    """

    __slots__ = ("heard_ns", "is_both", "quoted_ns")

    def __init__(self, now_ns: int) -> None:
        self.is_both = False
        self.heard_ns = now_ns
        self.quoted_ns = 0

    def on_heard(self, now_ns: int, *, is_both: bool) -> None:
        """The engine has applied an answer; is_both: there are orders on both sides now."""
        self.close(now_ns)
        self.heard_ns = now_ns
        self.is_both = is_both

    def close(self, now_ns: int) -> None:
        """Count up to now."""
        if self.is_both:
            self.quoted_ns += now_ns - self.heard_ns
