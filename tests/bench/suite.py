"""The whole suite inline: frame bytes to the first order's bytes, where every frame ends a bar, beside GLFT and the naive way.

Features, one step of a network of hidden size 64, 200 trees of 31 leaves, the policy's table, GLFT, three levels a side, risk,
journal and a signed order. In the daemon a bar ends every 100 ms and other frames pay one comparison: this is the dearest
frame there is. Each way runs in a process of its own, so that its memory is its own: the engine's loads no torch.
"""

import gc
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.table import Table

from adapters.binance_spot.rehearsal import BinanceSpotStage
from mmd.core.events import ModelSwap
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
from tests.bench import moving_market
from tests.bench.stages import WARM_UP, Pipeline
from tests.engine_bench import ZERO
from tests.session import instrument

BAR_NS: Final = 100_000_000
HIDDEN: Final = 64
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
    """A bar passes with each frame."""

    def __init__(self, began_ns: int) -> None:
        self.now_ns = began_ns

    def advance(self) -> None:
        self.now_ns += BAR_NS

    def __call__(self) -> int:
        return self.now_ns


def _pipeline(folder: Path, *, is_full: bool) -> tuple[Pipeline, Predictor | None]:
    """The daemon's hot path with all models, or with GLFT alone."""
    traded = instrument(symbol=moving_market.SYMBOL, base="BENCH")
    opening = moving_market.snapshot().encode()
    if not is_full:
        return Pipeline(folder, traded, opening), None
    models = ModelsSpec(
        enabled=True, uses_forecast=True, spread_weight=0.5, uses_policy=True, late_bars=3
    )
    source = shelf()
    pipeline = Pipeline(folder, traded, opening, source, "full", models=models)
    for kind in KINDS:
        swap = ModelSwap(pipeline.bench.now_ns, ZERO, kind, ModelRole.CHAMPION, kind)
        pipeline.bench.event(swap)
    return pipeline, pipeline.bench.maker.predictor


def measure(count: int, *, is_full: bool, is_paced: bool) -> dict[str, Any]:
    """So many frames in this process, back to back or 20 ms apart with the rehearsal in between."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline, predictor = _pipeline(Path(folder), is_full=is_full)
        clock = _Clock(pipeline.bench.now_ns)
        pipeline.now = clock
        shadow = _shadow(pipeline, predictor) if is_paced else None
        took: dict[int, list[int]] = {0: [], 1: []}
        frames = [text.encode() for _, text in moving_market.frames(count + WARM_UP)]
        gc.collect()
        gc.freeze()
        gc.disable()
        for n, frame in enumerate(frames):
            kind = n // 2 % 2  # by two: the market moves there and back
            clock.advance()
            took_ns, commands = pipeline.whole(frame, _CLOCKS[kind])
            pipeline.settle(commands)
            if shadow is not None:
                _wait(shadow, predictor)
            if n >= WARM_UP and commands:
                took[kind].append(took_ns)
        gc.enable()
        pipeline.journal.close()
        bars = 0 if predictor is None else int(predictor.prediction["bars"][0])
        assert predictor is None or bars >= count, f"expected a bar a frame, found {bars}"
    told = {
        f"{name}_p{q}": float(np.quantile(took[kind], q / 100)) / 1e3
        for kind, name in enumerate(("wall", "cpu"))
        for q in (50, 99)
    }
    return told | {"frames": count, "rss_mib": _resident_mib(), "torch": "torch" in sys.modules}


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


def naive(calls: int = 100) -> dict[str, float]:
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


def table(count: int = 20_000, paced: int = 500) -> Table:
    """Both ways at both paces, the surplus of the suite, and the naive way."""
    out = Table(
        title="In process: frame bytes to the first order's bytes, every frame ends a bar (µs)"
    )
    for column in ("what", "CPU p50", "p99", "wall p50", "p99", "memory MiB"):
        out.add_column(column, justify="left" if column == "what" else "right")
    found = {}
    for pace, n in (("back to back", count), ("20 ms apart, kept warm", paced)):
        for name in ("glft", "full"):
            told = found[name, pace] = apart(name, n, int(pace != "back to back"))
            keys = ("cpu_p50", "cpu_p99", "wall_p50", "wall_p99", "rss_mib")
            out.add_row(f"{name}, {pace}", *(f"{told[k]:.1f}" for k in keys))
    surplus = found["full", "back to back"]["cpu_p50"] - found["glft", "back to back"]["cpu_p50"]
    out.caption = f"the suite's surplus over GLFT: {surplus:.1f} µs of CPU"
    if all(importlib.util.find_spec(name) is not None for name in ("torch", "lightgbm")):
        parts = apart("naive", 100)
        total = sum(parts.values())
        said = ", ".join(f"{name} {us:,.0f}" for name, us in parts.items())
        out.caption += (
            f"; the naive way: {total:,.0f} µs ({said}), {total / surplus:.0f} times that"
        )
    return out


def main() -> None:
    """What `apart` starts."""
    if sys.argv[1] == "naive":
        print(json.dumps(naive(int(sys.argv[2]))))
        return
    is_full, is_paced = sys.argv[1] == "full", sys.argv[3] == "1"
    print(json.dumps(measure(int(sys.argv[2]), is_full=is_full, is_paced=is_paced)))


if __name__ == "__main__":
    main()
