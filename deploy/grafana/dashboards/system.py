"""System: the engine's latency, its process, its journal and what watches it."""

from deploy.grafana.page import Page


def system() -> Page:
    """The page."""
    page = Page(
        "system", "System", "The engine's latency, its process, its journal and what watches it"
    )
    _latency(page)
    _process(page)
    _journal(page)
    return page


def _quantiles(metric: str, by: str = "") -> list[tuple[str, str]]:
    """Median and 99th percentile of a histogram over five minutes."""
    labels, name = (f"{by}, le", f"{{{{{by}}}}} ") if by else ("le", "")
    return [
        (
            f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket[5m])))",
            f"{name}{label}",
        )
        for q, label in ((0.5, "p50"), (0.99, "p99"))
    ]


def _latency(page: Page) -> None:
    page.lines(
        "Frame to order",
        "From the first byte of a frame to the bytes of its first order",
        "s",
        _quantiles("mmd_tick_to_order_seconds"),
        steps=((None, "transparent"), (0.005, "red")),
        span=(0, None),
    )
    page.lines(
        "Stages of the hot path",
        "99th percentile of each",
        "s",
        [_quantiles("mmd_stage_seconds", "stage")[1]],
        span=(0, None),
    )
    page.lines(
        "Lateness of the event loop",
        "How late its timer comes",
        "s",
        _quantiles("mmd_loop_lag_seconds"),
        steps=((None, "transparent"), (0.05, "red")),
        span=(0, None),
    )
    page.lines(
        "Decisions",
        "Per second",
        "ops",
        [("rate(mmd_decisions_total[1m])", "{{instance}}")],
        span=(0, None),
    )
    page.lines(
        "Garbage collection",
        "Time that it takes of each second, and the 99th percentile of a pause",
        "s",
        [
            ("rate(mmd_gc_pause_seconds_sum[5m])", "of a second"),
            _quantiles("mmd_gc_pause_seconds")[1],
        ],
        span=(0, None),
    )
    page.lines(
        "Age of the engine's picture",
        "As ops reads it; above a second the engine hangs",
        "s",
        [("mmd_state_age_seconds", "{{instance}}")],
        steps=((None, "transparent"), (3, "red")),
        span=(0, None),
    )


def _process(page: Page) -> None:
    page.lines(
        "Processor",
        "Cores that the engine process takes",
        "suffix: cores",
        [("rate(mmd_engine_cpu_seconds_total[1m])", "{{instance}}")],
        span=(0, None),
    )
    page.lines(
        "Memory",
        "Resident, of the engine process",
        "bytes",
        [("mmd_engine_memory_bytes", "{{instance}}")],
        span=(0, None),
    )
    page.lines(
        "Files, sockets, tasks",
        "Of the engine process and its event loop",
        "short",
        [
            ("mmd_engine_open_files", "{{instance}} files"),
            ("mmd_engine_tasks", "{{instance}} tasks"),
        ],
        span=(0, None),
    )
    page.number(
        "Uptime",
        "Since the session began",
        "s",
        ("max(mmd_uptime_seconds)", ""),
        size=(4, 6),
    )
    page.rows(
        "Build",
        "What runs, and where",
        "mmd_build_info",
        {"version": None, "environment": None},
        size=(12, 6),
    )
    page.lines(
        "Scrape",
        "How long Prometheus waits for /metrics",
        "s",
        [('scrape_duration_seconds{job="mmd"}', "{{instance}}")],
        steps=((None, "transparent"), (1, "red")),
        span=(0, None),
        size=(8, 6),
    )


def _journal(page: Page) -> None:
    page.lines(
        "Journal",
        "Bytes appended per second",
        "Bps",
        [("rate(mmd_journal_bytes_total[1m])", "{{instance}}")],
        span=(0, None),
    )
    page.lines(
        "Bringing it to the disk",
        "Time of each sync",
        "s",
        _quantiles("mmd_journal_sync_seconds"),
        steps=((None, "transparent"), (0.2, "red")),
        span=(0, None),
    )
    page.lines(
        "Not on the disk yet, and room left",
        "What the death of the host would take; free space on its disk",
        "bytes",
        [
            ("mmd_journal_unsynced_bytes", "not synced"),
            ("mmd_journal_free_bytes", "free"),
        ],
        span=(0, None),
    )
