"""Many backtests at once, each in a process of its own; results come in the order of the requests."""

import itertools
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Self

import msgspec

from mmd.backtest.result import BacktestResult
from mmd.backtest.run import BacktestRequest, run_backtest
from mmd.errors import ConfigError

BRACKET = ("risk_averse", "power", "log", "front")
"""From the most cautious queue model to the most hopeful one."""


class Runs:
    """Backtests that begin together at `start`, in processes of their own; leaving the block ends what has not begun."""

    def __init__(self, requests: Sequence[BacktestRequest]) -> None:
        self.requests = requests
        self._pool: ProcessPoolExecutor | None = None
        self._futures: list[Future[BacktestResult]] = []

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what runs, forget the rest."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self) -> None:
        """Begin, if that was not done before."""
        if self._pool is None and self.requests:
            processes = min(len(self.requests), os.cpu_count() or 1)
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(processes, mp_context=context)
            # The last first: in a bracket it is the most hopeful model, whose fills take the longest.
            begun = [self._pool.submit(run_backtest, r) for r in reversed(self.requests)]
            self._futures = begun[::-1]

    def results(self, on_done: Callable[[int], None] | None = None) -> list[BacktestResult]:
        """What they came to, in order; on_done is told how many are through. Raises: MmdError, as any of them did."""
        self.start()
        results = []
        for number, future in enumerate(self._futures, 1):
            results.append(future.result())
            if on_done is not None:
                on_done(number)
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
