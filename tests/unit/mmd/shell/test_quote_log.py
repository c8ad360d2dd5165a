"""One log line for each change of a quote state."""

import structlog

from mmd.core.notices import NoticeKind
from mmd.shell.quote_log import QuoteLog
from tests.engine_bench import ZERO, EngineBench


def test_each_change_is_written_once() -> None:
    """From what, to what, why and how long ago."""
    bench = EngineBench()
    log = QuoteLog(bench.engine)
    with structlog.testing.capture_logs() as lines:
        bench.bring_up()
        bench.turn()
        log.write()
        log.write()
        bench.pass_time(60_000)
        bench.turn()
        bench.pass_time(30)
        bench.tick()
        log.write()
    changes = [(row["before"], row["after"], row["reason"]) for row in lines]
    assert changes == [("withdrawn", "active", "none"), ("active", "withdrawn", "book_stale")]
    assert lines[1] == {
        "event": "quote_state",
        "log_level": "info",
        "instrument": "MMDUSDT",
        "before": "active",
        "after": "withdrawn",
        "reason": "book_stale",
        "age_ms": 30,
    }


def test_notices_are_warnings_written_once() -> None:
    """With the instrument they are about."""
    bench = EngineBench()
    log = QuoteLog(bench.engine)
    bench.engine.notices.add(5, NoticeKind.HEDGE_LATE, ZERO, "exposure 7 lots")
    with structlog.testing.capture_logs() as lines:
        log.write()
        log.write()
    assert lines == [
        {
            "event": "hedge_late",
            "log_level": "warning",
            "instrument": "MMDUSDT",
            "text": "exposure 7 lots",
        }
    ]
