"""The whole suite inline: frame bytes to the first order's bytes, beside GLFT and the naive way.

Features, one step of a network of hidden size 64, 200 trees of 31 leaves, the policy's table, GLFT, three levels a side, risk,
journal and a signed order. A bar ends with every fifth frame, as in the daemon with frames 20 ms apart. In the daemon it is the
timer that ends nearly all of them, between two frames: those are the frames that end no bar. Beside them stand those that
end one, with all of the models' work in it, and nothing but those. CPU time is without what asking for it takes. Each way runs
in a process of its own, so that its memory is its own: the engine's loads no torch. To run it alone: python -m tests.bench.suite.
"""

import gc
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from adapters.binance_spot.rehearsal import BinanceSpotStage
from mmd.core.events import ModelSwap, Timer
from mmd.core.learned import q_policy
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.served_model import (
    KINDS,
    POLICY,
    PRICE,
    SPREAD,
    ModelRole,
    ModelShelf,
    ServedModel,
)
from mmd.journal.scratch import ScratchJournal
from mmd.shell.clock import SystemClock
from mmd.shell.rehearsal import Rehearsal, snapshot_at
from models.bench import made_up_trees, random_network
from tests.bench import moving_market, recorded_market
from tests.bench.recorded_market import RecordedMarket
from tests.bench.stages import WARM_UP, Pipeline
from tests.engine_bench import ZERO
from tests.session import instrument

BAR_NS: Final = 100_000_000
FRAMES_A_BAR: Final = 5
HIDDEN: Final = 64
NAIVE_CALLS: Final = 40
"""It takes milliseconds where the others take microseconds: so few say enough."""
MEMORY_MIB_MAX: Final = 350.0
_GAP_S: Final = 0.02
_PLAY_S: Final = 1e-3
_MID_TICKS: Final = 10_000
_CLOCKS: Final = (time.perf_counter_ns, time.process_time_ns)


def shelf() -> ModelShelf:
    """One model of each kind, of the size that is served, with weights that say nothing."""
    found, table = ModelShelf(), np.zeros((q_policy.STATES, q_policy.ACTIONS))
    weights: dict[str, dict[str, Any]] = {
        PRICE: random_network(HIDDEN),
        SPREAD: made_up_trees(),
        POLICY: {
            "q": table,
            "q_error": np.full_like(table, 1e-3),
            "visits": np.full(table.shape, 10_000, np.int32),
            "spread_edges": np.array(q_policy.SPREAD_EDGES_TICKS),
            "volatility_edges": np.array(q_policy.VOLATILITY_EDGES_BPS),
        },
    }
    for kind in KINDS:
        model = ServedModel(
            id=kind, kind=kind, bar_ns=BAR_NS, horizons=(10,), weights=weights[kind],
            change_scale=(1.0,), volatility_scale=(1.0,),
        )  # fmt: skip
        found.put(model)
    return found


class _Clock:
    """Stands still between frames."""

    def __init__(self, began_ns: int, step_ns: int) -> None:
        self.now_ns, self.step_ns = began_ns, step_ns

    def advance(self) -> None:
        self.now_ns += self.step_ns

    def __call__(self) -> int:
        return self.now_ns


class Way(NamedTuple):
    """What is measured, and on which frames."""

    name: str
    """`glft` or `full`."""
    ends_bars: bool = False
    """Whether frames end bars, and only such frames count; else the timer does, between two frames."""
    is_paced: bool = False
    recorded: str = ""
    """Symbol of a recorded market; empty: the one that moves with every frame."""


def _market(count: int, recorded: str) -> RecordedMarket:
    """An instrument, its book and so many frames."""
    if recorded != "":
        (found,) = (m for m in recorded_market.markets(count) if m.instrument.symbol == recorded)
        return found
    frames = [text.encode() for _, text in moving_market.frames(count)]
    traded = instrument(symbol=moving_market.SYMBOL, base="BENCH")
    return RecordedMarket(traded, moving_market.snapshot().encode(), frames)


def _pipeline(folder: Path, market: RecordedMarket, *, is_full: bool) -> Pipeline:
    """The daemon's hot path with all models, or with GLFT alone."""
    if not is_full:
        return Pipeline(folder, market.instrument, market.snapshot)
    models = ModelsSpec(
        enabled=True, uses_forecast=True, spread_weight=0.5, forecast_rate_bps=5.0, spread_rate_bps=5.0,
        uses_policy=True, late_bars=3,
    )  # fmt: skip
    pipeline = Pipeline(folder, market.instrument, market.snapshot, shelf(), "full", models=models)
    for kind in KINDS:
        swap = ModelSwap(pipeline.bench.now_ns, ZERO, kind, ModelRole.CHAMPION, kind)
        pipeline.bench.event(swap)
    return pipeline


def measure(way: Way, count: int) -> dict[str, Any]:
    """So many frames in this process, back to back or 20 ms apart with the rehearsal in between."""
    market = _market(count + WARM_UP, way.recorded)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = _pipeline(Path(folder), market, is_full=way.name == "full")
        took = _run(pipeline, market.frames, way)
        predictor = pipeline.bench.maker.predictor
        bars = 0 if predictor is None else int(predictor.prediction["bars"][0])
        expected = len(market.frames) // FRAMES_A_BAR - WARM_UP
        assert predictor is None or bars >= expected, f"expected {expected} bars, found {bars}"
    told = {
        f"{name}_p{q}": float(np.quantile(took[kind], q / 100)) / 1e3
        for kind, name in enumerate(("wall", "cpu"))
        for q in (50, 99)
    }
    frames = sum(map(len, took.values()))
    return told | {"frames": frames, "rss_mib": _resident_mib(), "torch": "torch" in sys.modules}


def _run(pipeline: Pipeline, frames: list[bytes], way: Way) -> dict[int, list[int]]:
    """Nanoseconds of each frame that counts and led to an order, by clock."""
    predictor = pipeline.bench.maker.predictor
    clock = _Clock(pipeline.bench.now_ns, BAR_NS // FRAMES_A_BAR)
    pipeline.now = clock
    shadow = _shadow(pipeline, predictor) if way.is_paced else None
    took: dict[int, list[int]] = {0: [], 1: []}
    asked: list[int] = []
    gc.collect()
    gc.freeze()
    gc.disable()
    for n, frame in enumerate(frames):
        kind = n // 2 % 2  # by two: the market moves there and back
        clock.advance()
        bars = 0 if predictor is None else predictor.end_ns
        took_ns, commands = pipeline.whole(frame, _CLOCKS[kind])
        ended_bar = predictor is not None and predictor.end_ns != bars
        asked.append(-time.process_time_ns() + time.process_time_ns())
        pipeline.settle(commands)
        if not way.ends_bars and clock.now_ns + clock.step_ns > bars:
            pipeline.bench.event(Timer(bars + 1))  # the bar that the next frame would end
        if shadow is not None:
            _wait(shadow, predictor)
        if n >= WARM_UP and commands and ended_bar == way.ends_bars:
            took[kind].append(took_ns)
    gc.enable()
    pipeline.journal.close()
    asked_ns = int(median(asked))
    return took | {1: [took_ns - asked_ns for took_ns in took[1]]}


def _shadow(pipeline: Pipeline, predictor: Predictor | None) -> Rehearsal:
    engine = pipeline.bench.engine
    shadow = Rehearsal(engine.spec, ScratchJournal(), SystemClock(), engine._models)
    shadow.begin(BinanceSpotStage(shadow.instrument, _MID_TICKS, 1), snapshot_at(_MID_TICKS))
    shadow.follow(predictor)
    return shadow


def _wait(shadow: Rehearsal, predictor: Predictor | None) -> None:
    """Let 20 ms pass as the daemon does: asleep, but for a play every millisecond."""
    until = time.perf_counter() + _GAP_S
    plays = 0
    while time.perf_counter() < until:
        plays += 1
        if predictor is not None and plays % 4 == 0:
            predictor.seats.read_through()
        shadow.play()
        time.sleep(_PLAY_S)


_KINDS: Final = (Way("glft"), Way("full"), Way("full", ends_bars=True))
_NAMES: Final = {
    ("glft", False): "GLFT",
    ("full", False): "full, a frame that ends no bar",
    ("full", True): "full, a frame that ends a bar",
}


def naive(calls: int = NAIVE_CALLS) -> dict[str, float]:
    """CPU time of one bar as research code has it: a window through torch, Booster.predict, features by numpy; us."""
    from collections import deque

    import torch

    from mmd.core.learned.lstm import WINDOW, Shape
    from mmd.core.learned.schema import N
    from models.bench import _booster, _by_numpy, measured
    from models.network import Network

    torch.set_num_threads(1)
    whole, window = Network(Shape(N, HIDDEN, HIDDEN, 1)).eval(), torch.zeros(1, WINDOW, N)
    booster, row = _booster(), np.zeros((1, N))
    mids = deque(10_000.0 + np.random.default_rng(4).normal(size=50).cumsum(), maxlen=50)
    with torch.inference_mode():
        parts = {
            "window": measured("", "", lambda: whole(window, whole.begin(1)), calls),
            "trees": measured("", "", lambda: booster.predict(row, num_threads=1), calls),
            "features": measured("", "", lambda: _by_numpy(mids), calls),
        }
    return {name: timing.cpu_us for name, timing in parts.items()}


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / 1024
    return float("nan")


def apart(*words: object) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.suite", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ways() -> dict[str, Way]:
    """By what the table calls them."""
    ways = {
        f"{_NAMES[way.name, way.ends_bars]}{pacing}": way._replace(is_paced=pacing != "")
        for pacing in ("", ", 20 ms apart, kept warm")
        for way in _KINDS
    }
    for symbol in (m.instrument.symbol for m in recorded_market.markets(1_000)):
        for way in _KINDS:
            name = f"{_NAMES[way.name, way.ends_bars]}, recorded {symbol}"
            ways[name] = way._replace(recorded=symbol)
    return ways


def table(count: int = 10_000, paced: int = 600) -> Table:
    """All ways, the suite's surplus over GLFT, and the naive way."""
    out = Table(title="In process: frame bytes to the first order's bytes, whole suite (µs)")
    for column in ("what", "CPU p50", "p99", "wall p50", "p99", "memory MiB", "frames"):
        out.add_column(column, justify="left" if column == "what" else "right")
    found = {}
    for name, way in _ways().items():
        words = (way.name, int(way.ends_bars), int(way.is_paced), way.recorded or "-")
        told = found[way] = apart(*words, paced if way.is_paced else count)
        keys = ("cpu_p50", "cpu_p99", "wall_p50", "wall_p99", "rss_mib")
        out.add_row(name, *(f"{told[k]:.1f}" for k in keys), f"{told['frames']:,}")
    glft, full = found[Way("glft")]["cpu_p50"], found[Way("full", ends_bars=True)]["cpu_p50"]
    out.caption = f"a bar's surplus over GLFT: {full - glft:.1f} µs of CPU"
    if all(importlib.util.find_spec(name) is not None for name in ("torch", "lightgbm")):
        out.caption += _beside_naive(glft, full)
    return out


def _beside_naive(glft_us: float, full_us: float) -> str:
    """The same bar by the naive way, mean CPU time of few calls."""
    parts = apart("naive", NAIVE_CALLS)
    total = sum(parts.values())
    said = ", ".join(f"{name} {us:,.0f}" for name, us in parts.items())
    return (
        f"; the naive way ({NAIVE_CALLS} calls): {total:,.0f} µs ({said}), {total / (full_us - glft_us):.0f} times "
        f"that; with GLFT's frame {(total + glft_us) / full_us:.0f} times a frame that ends a bar"
    )


def main(words: list[str]) -> None:
    """Print the table; with words, what `apart` starts."""
    if not words:
        console = Console()
        console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
        console.print(table())
    elif words[0] == "naive":
        print(json.dumps(naive(int(words[1]))))
    else:
        name, ends_bars, is_paced, recorded, count = words
        symbol = "" if recorded == "-" else recorded
        way = Way(name, ends_bars == "1", is_paced == "1", symbol)
        print(json.dumps(measure(way, int(count))))


if __name__ == "__main__":
    main(sys.argv[1:])
