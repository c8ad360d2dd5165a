"""What happened, for people: made in ops from one picture of the daemon and the next, the last few hundred kept.

What begins and ends between two pictures, a quarter of a second apart, is not in it; the journal has everything.
"""

from collections import deque
from collections.abc import Iterator
from typing import Literal

import msgspec

from mmd.ops.state import FillState, InstrumentState, State

KEPT = 500
Kind = Literal[
    "session", "fill", "level", "quotes", "feed", "model", "notice", "orders", "journal", "settings"
]
Weight = Literal["plain", "good", "caution", "bad"]


class LoggedEvent(msgspec.Struct, frozen=True):
    """One line; numbers count from 1 and have no gaps."""

    number: int
    unix_s: float
    kind: Kind
    weight: Weight
    instrument: str
    """<venue>:<symbol>; empty: of the whole daemon."""
    text: str


_Found = tuple[Kind, Weight, str, str]


class EventLog:
    """Bounded; compares each picture with the one before."""

    def __init__(self) -> None:
        self.kept: deque[LoggedEvent] = deque(maxlen=KEPT)
        self._total = 0
        self._last: State | None = None

    def follow(self, state: State) -> list[LoggedEvent]:
        """The events that led from the last picture to this one, oldest first."""
        last, self._last = self._last, state
        if last is None or last.session != state.session:
            found: list[_Found] = [
                (
                    "session",
                    "plain",
                    "",
                    f"session {state.session} ({state.environment}) is watched",
                )
            ]
        else:
            found = list(_between(last, state))
        lines = []
        for kind, weight, instrument, text in found:
            self._total += 1
            lines.append(
                LoggedEvent(self._total, state.taken_unix_s, kind, weight, instrument, text)
            )
        self.kept.extend(lines)
        return lines


def new_fills(before: InstrumentState, after: InstrumentState) -> list[FillState]:
    """Our trades since the picture before, as far as the list of the last ones goes back."""
    count = min(after.fills - before.fills, len(after.last_fills))
    return after.last_fills[len(after.last_fills) - count :] if count > 0 else []


def _between(last: State, state: State) -> Iterator[_Found]:
    if (last.risk_level, last.risk_reason) != (state.risk_level, state.risk_reason):
        weight: Weight = "good" if state.risk_level == "NORMAL" else "bad"
        if state.risk_level in ("CAUTIOUS", "REDUCE_ONLY"):
            weight = "caution"
        why = f" ({state.risk_reason})" if state.risk_reason else ""
        yield "level", weight, "", f"risk level {last.risk_level} → {state.risk_level}{why}"
    if state.settings_changes > last.settings_changes:
        told = ", ".join(f"{key} = {value}" for key, value in state.last_settings_change.items())
        yield "settings", "plain", "", f"settings changed: {told}"
    if last.journal_up and not state.journal_up:
        yield "journal", "bad", "", "the journal cannot be written: nothing new is sent"
    for before, after in zip(last.instruments, state.instruments, strict=False):
        name = f"{after.venue}:{after.symbol}"
        yield from ((kind, weight, name, text) for kind, weight, text in _of(before, after))
    for kind_name, count in state.inventory.notice_counts.items():
        new = count - last.inventory.notice_counts.get(kind_name, 0)
        for notice in (
            [n for n in state.inventory.last_notices if n.kind == kind_name][-new:]
            if new > 0
            else ()
        ):
            yield "notice", "caution", notice.instrument, notice.text


def _of(before: InstrumentState, after: InstrumentState) -> Iterator[tuple[Kind, Weight, str]]:
    """Of one instrument."""
    for fill in new_fills(before, after):
        verb = "bought" if fill.side == "BUY" else "sold"
        how = "maker" if fill.is_maker else "taker"
        yield (
            "fill",
            "plain",
            f"{verb} {fill.qty} at {fill.price} ({how}, fee {fill.fee} {fill.fee_asset})",
        )
    if (before.quote_state, before.reason) != (after.quote_state, after.reason):
        why = "" if after.reason == "NONE" else f" ({after.reason})"
        weight: Weight = "caution" if after.quote_state == "WITHDRAWN" else "plain"
        yield "quotes", weight, f"quotes {before.quote_state} → {after.quote_state}{why}"
    if after.book.gaps > before.book.gaps or after.book.resyncs > before.book.resyncs:
        yield (
            "feed",
            "caution",
            f"feed: {after.book.gaps} gaps, book built again {after.book.resyncs} times",
        )
    if before.book.synced != after.book.synced:
        yield (
            ("feed", "good", "book in sync")
            if after.book.synced
            else ("feed", "bad", "book not in sync")
        )
    if after.orders_rejected > before.orders_rejected:
        yield (
            "orders",
            "caution",
            f"{after.orders_rejected - before.orders_rejected} orders rejected",
        )
    yield from _of_models(before, after)


def _of_models(
    before: InstrumentState, after: InstrumentState
) -> Iterator[tuple[Kind, Weight, str]]:
    was, now = before.prediction, after.prediction
    if was is None or now is None:
        return
    for kind, model in now.champions.items():
        if was.champions.get(kind) != model:
            yield "model", "plain", f"{kind} is now {model or 'none'}"
    if now.refusals > was.refusals:
        yield "model", "bad", f"a model was refused: {now.refusal}"
    if now.rung != was.rung:
        yield "model", "plain", f"predictions {was.rung} → {now.rung}"
