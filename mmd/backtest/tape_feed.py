"""The cursors of a backtest over a tape: loads rows as they are wanted, and lets go of those that are played."""

import numpy as np

from mmd.backtest.feed import FEED, REFILL, advance
from mmd.core.market.record import LEVELS_MAX, MARKET
from mmd.errors import TapeError
from mmd.exchange.fills.fill_exchange import FillExchange
from mmd.jit.kernel import Rec, bind, new
from mmd.tape.format import ROW, Rows
from mmd.tape.frames import BROKEN
from mmd.tape.reader import Tape

_END_OF_TIME_NS = 2**63 - 1


class TapeFeed:
    """Plays a tape at an exchange and hands it to a daemon.

    Attributes:
        market: MARKET record with the frame at hand.
        exch, local: FEED records.
        rows: what is loaded of the tape.
        rows_played: how many rows have been let go.
    """

    def __init__(
        self,
        tape: Tape,
        exchange: FillExchange,
        delay: Rec,
        *,
        by_event: bool = False,
        start_ns: int = 0,
        end_ns: int = _END_OF_TIME_NS,
    ) -> None:
        """Open the tape between two receive times; by_event: the venue's event times are the exchange's clock."""
        self.market: Rec = new(MARKET)
        self.exch: Rec = new(FEED)
        self.local: Rec = new(FEED)
        self.delay = delay
        self.rows: Rows = np.empty(0, ROW)
        self.rows_played = 0
        self._tape = tape
        self._batches = tape.batches(start_ns, end_ns)
        self.exch["by_event"] = self.local["by_event"] = by_event
        self.records = (
            self.exch,
            self.local,
            delay,
            self.market,
            exchange.fills,
            exchange.book,
            exchange.l3,
        )
        self._advance = bind(advance, self.rows, *self.records, 0)
        self._local_due = memoryview(self.local["due_ns"])

    @property
    def due_ns(self) -> int:
        """When the daemon's next frame arrives; NEVER at the end, 0 where more rows must be loaded to know."""
        return self._local_due[0]

    def advance(self, until_ns: int) -> int:
        """`feed.advance`, with rows loaded as they are wanted. Raises: TapeError if the tape is damaged."""
        while (code := self._advance(self.rows, *self.records, until_ns)) == REFILL:
            self.refill()
        if code == BROKEN:
            raise self.broken()
        return code

    def refill(self) -> None:
        """Load the next batch behind what is still in flight. Raises: TapeError."""
        exch, local = self.exch[0], self.local[0]
        keep = int(min(exch["at"], local["at"]))
        rows = next(self._batches, None)
        if rows is None:
            exch["is_final"] = local["is_final"] = 1
            return
        self.rows_played += keep
        self.rows = rows if keep == len(self.rows) else np.concatenate([self.rows[keep:], rows])
        for cursor in (exch, local):
            cursor["at"] -= keep
            cursor["stop"] = len(self.rows)

    def broken(self) -> TapeError:
        """What is wrong with the frame at hand."""
        row = self.rows_played + int(max(self.exch["begin"][0], self.local["begin"][0]))
        return TapeError(
            f"{self._tape.path}: row {row}: expected a frame of at most {LEVELS_MAX} levels a side with an end "
            "(or, order by order, fewer orders than the queue has room for); make the tape again"
        )
