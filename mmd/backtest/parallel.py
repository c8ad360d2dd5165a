"""Many backtests at once, each in a process of its own; results come in the order of the requests."""

import itertools
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

import msgspec

from mmd.backtest.result import BacktestResult
from mmd.backtest.run import BacktestRequest, run_backtest
from mmd.errors import ConfigError

BRACKET = ("risk_averse", "power", "log", "front")
"""From the most cautious queue model to the most hopeful one."""


def run_all(
    requests: Sequence[BacktestRequest], on_done: Callable[[int], None] | None = None
) -> list[BacktestResult]:
    """Run every request; on_done is told how many are through.

    Raises:
        MmdError: What any of them raised.
    """
    processes = min(len(requests), os.cpu_count() or 1)
    context = multiprocessing.get_context("spawn")
    results = []
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures = [pool.submit(run_backtest, request) for request in requests]
        try:
            for number, future in enumerate(futures, 1):
                results.append(future.result())
                if on_done is not None:
                    on_done(number)
        finally:
            pool.shutdown(cancel_futures=True)
    return results


def bracketed(request: BacktestRequest, models: Sequence[str]) -> list[BacktestRequest]:
    """The same run under each queue model."""
    replace = msgspec.structs.replace
    return [
        replace(
            request,
            settings=replace(request.settings, queue=model),
            journal=None,
            is_watched=False,
        )
        for model in models
    ]


def swept(request: BacktestRequest, axes: Sequence[str]) -> list[BacktestRequest]:
    """A run for every combination of values; an axis is "key=a,b,c". Raises: ConfigError."""
    named = [_axis(text) for text in axes]
    return [
        msgspec.structs.replace(
            request, swept=dict(zip((k for k, _ in named), values, strict=True)), journal=None
        )
        for values in itertools.product(*(values for _, values in named))
    ]


def _axis(text: str) -> tuple[str, list[str]]:
    key, _, values = text.partition("=")
    found = [v.strip() for v in values.split(",") if v.strip()]
    if not key or not found:
        raise ConfigError(f"--sweep: expected key=a,b,c, found {text!r}")
    return key.strip(), found
