"""One log line for each change of a quote state."""

import structlog

from mmd.shell.quote_log import QuoteLog
from tests.engine_bench import EngineBench


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
