"""How long each part of a prediction takes on this machine, beside the plain way of doing the same.

Times do not depend on what was learned, so that random weights of a stated size do; trees are grown on noise where
LightGBM is installed, else made up. Back to back, so with warm caches: a frame that comes alone after 20 ms pays
several times as much (see mmd.shell.rehearsal).
"""

import importlib.util
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from mmd.core.events import ModelSwap
from mmd.core.learned import forest, lstm
from mmd.core.learned import samples as bars
from mmd.core.learned.lstm import WEIGHTS, WINDOW, Shape, network_layout
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.ordinary_bar import Records
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.samples import BAR_NS
from mmd.core.learned.schema import N
from mmd.core.learned.served_model import PRICE, SPREAD, ModelShelf, ServedModel
from mmd.core.market_view import MarketView
from mmd.core.quoting.record import QUOTE
from mmd.core.units import InstrumentId
from mmd.jit.kernel import F4, bind, new
from models.remote_prediction import BATCH_MIN, device_of, has_card

TREES: Final = 200
LEAVES: Final = 31
HORIZON: Final = 10
_CALLS: Final = 2_000
_SLOW_CALLS: Final = 200
_WARM: Final = 50


class Timing(msgspec.Struct, frozen=True):
    """One part, done in one way."""

    part: str
    backend: str
    p50_us: float
    p99_us: float
    """Wall time, as the one before: on a busy machine it holds what others did meanwhile."""
    cpu_us: float
    """Mean of this thread's own time."""
    calls: int
    ratio: float | None = None
    """Of this CPU time to that of the compiled kernel."""


class Skipped(NamedTuple):
    """What could not be measured, and why."""

    backend: str
    why: str


def measured(part: str, backend: str, call: Callable[[], object], calls: int = _CALLS) -> Timing:
    """Wall time of a call, quantiles over many, and its mean CPU time."""
    for _ in range(_WARM):
        call()
    times = np.empty(calls)
    cpu_ns = time.thread_time_ns()
    for i in range(calls):
        began = time.perf_counter_ns()
        call()
        times[i] = time.perf_counter_ns() - began
    cpu_us = (time.thread_time_ns() - cpu_ns) / calls / 1e3
    p50, p99 = np.quantile(times, (0.5, 0.99)) / 1e3
    return Timing(part, backend, float(p50), float(p99), cpu_us, calls)


def random_network(hidden: int) -> dict[str, F4]:
    """Weights of a network of this size that says nothing."""
    layout, rng = network_layout(Shape(N, hidden, hidden, 1)), np.random.default_rng(1)
    return {
        name: (rng.normal(size=layout[name].shape) / hidden).astype(np.float32) for name in WEIGHTS
    }


def made_up_trees() -> dict[str, Any]:
    """Balanced trees of the size that training gives, with random splits."""
    rng = np.random.default_rng(2)

    def grown(leaves: int) -> dict[str, Any]:
        if leaves == 1:
            return {"leaf_value": float(rng.uniform(1.0, 3.0) / TREES)}
        return {
            "split_feature": int(rng.integers(N)),
            "threshold": float(rng.normal()),
            "decision_type": "<=",
            "missing_type": "None",
            "left_child": grown(leaves // 2),
            "right_child": grown(leaves - leaves // 2),
        }

    return forest.packed({"tree_info": [{"tree_structure": grown(LEAVES)} for _ in range(TREES)]})


def bench(hidden: tuple[int, ...] = (64, 128)) -> Iterator[Timing | Skipped]:
    """Measure everything that can be measured here, part by part."""
    x = np.random.default_rng(3).normal(size=N).astype(np.float32)
    yield from _features()
    for size in hidden:
        yield from _networks(size, x)
    yield from _trees(x)
    yield from _whole(hidden[0])


def _features() -> Iterator[Timing]:
    """One bar's inputs: by the kernel, and as a list of mids would be gone through with numpy."""
    view, samples = MarketView(), new(bars.SAMPLES)
    view.features["primed"], view.features["mid"] = 1, 10_000.0
    bars.start(samples, unix_less_engine_ns=0)
    close = partial(bind(bars.close, samples, view.features, view.flow, 0), samples)
    clock = [0]

    def kernel() -> None:
        clock[0] += BAR_NS
        close(view.features, view.flow, clock[0])

    fast = measured("features of a bar", "kernel", kernel)
    yield fast
    mids = deque(10_000.0 + np.random.default_rng(4).normal(size=50).cumsum(), maxlen=50)
    naive = measured("features of a bar", "numpy", lambda: _by_numpy(mids))
    yield _against(naive, fast)


def _by_numpy(mids: "deque[float]") -> dict[str, float]:
    """The bar's part of the inputs alone, as research code has it."""
    prices = np.array(mids)
    changes = np.diff(prices)
    found = {"return": float(changes[-1]), "log": float(np.log(prices[-1] / prices[-2]))}
    for n in (10, 20, 50):
        found[f"average_{n}"] = float(prices[-n:].mean())
        found[f"volatility_{n}"] = float(changes[-n + 1 :].std())
    found["z"] = float((prices[-1] - prices.mean()) / prices.std())
    return found


def _networks(hidden: int, x: F4) -> Iterator[Timing | Skipped]:
    part, weights = f"network, hidden {hidden}", random_network(hidden)
    network = lstm.new_network(weights)
    step = partial(bind(lstm.step, network, x), network, x)
    fast = measured(part, "kernel, one carried step", step)
    yield fast
    if importlib.util.find_spec("torch") is None:
        yield Skipped(part, "torch is not installed: pip install -c constraints.txt -e '.[train]'")
        return
    import torch  # noqa: PLC0415 - only where it is there

    from models.export import load_step, scripted_step, zero_state  # noqa: PLC0415
    from models.network import Network  # noqa: PLC0415

    torch.set_num_threads(1)
    scripted, state = load_step(scripted_step(weights)), zero_state(1, hidden)
    window, row = torch.zeros(1, WINDOW, N), torch.zeros(1, N)
    whole = Network(Shape(N, hidden, hidden, 1)).eval()
    with torch.inference_mode():
        carried = measured(
            part, "TorchScript, one carried step", lambda: scripted(row, *state), _SLOW_CALLS
        )
        yield _against(carried, fast)
        plain = measured(
            part, f"torch, {WINDOW}-step window", lambda: whole(window, whole.begin(1)), _SLOW_CALLS
        )
        yield _against(plain, fast)
    from models.bench_backends import batches  # noqa: PLC0415

    for backend, call in batches(weights):
        if isinstance(call, str):
            yield Skipped(f"{part}, {backend}", call)
        else:
            yield _against(measured(part, backend, call, _SLOW_CALLS), fast)


def chosen(instruments: int = 1) -> str:
    """What `models.backend = "auto"` computes a session's networks with here."""
    has = has_card()
    here = "compiled kernel" if device_of("auto", instruments, lambda: has) == "" else "torch_cuda"
    found = "one is here" if has else "none is here"
    return f"{here}, trees and tables always so; torch_cuda from {BATCH_MIN} instruments on where there is a card: {found}"


def _trees(x: F4) -> Iterator[Timing | Skipped]:
    part = f"trees, {TREES} x {LEAVES}"
    booster = None
    if importlib.util.find_spec("lightgbm") is not None:
        booster = _booster()
    arrays = made_up_trees() if booster is None else forest.packed(booster.dump_model())
    trees = forest.new_forest(arrays)
    trees["x"][0] = x
    fast = measured(part, "kernel", partial(bind(forest.predict, trees), trees))
    yield fast
    if booster is None:
        yield Skipped(
            part, "lightgbm is not installed: pip install -c constraints.txt -e '.[train]'"
        )
        return
    row = x[None].astype(np.float64)
    slow = measured(
        part, "Booster.predict", lambda: booster.predict(row, num_threads=1), _SLOW_CALLS
    )
    yield _against(slow, fast)


def _booster() -> Any:
    import lightgbm  # noqa: PLC0415 - only where it is there

    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(20_000, N)), rng.normal(size=20_000)
    settings = {"num_leaves": LEAVES, "verbosity": -1, "use_missing": False, "num_threads": 1}
    return lightgbm.train(settings, lightgbm.Dataset(x, y), TREES)


def _whole(hidden: int) -> Iterator[Timing]:
    """All that a bar costs in the engine: sample, step, walk, publish, score."""
    view, quote, shelf = MarketView(), new(QUOTE), ModelShelf()
    view.features["primed"], view.features["mid"] = 1, 10_000.0
    spec = ModelsSpec(
        enabled=True,
        uses_forecast=True,
        spread_weight=0.5,
        forecast_rate_bps=5.0,
        spread_rate_bps=5.0,
    )
    records = Records(view.features, view.flow, view.vol, quote)
    predictor = Predictor(spec, records, 0, lambda _: None)
    network = ServedModel(
        id="network", kind=PRICE, bar_ns=BAR_NS, horizons=(HORIZON,), weights=random_network(hidden),
        change_scale=(1.0,), volatility_scale=(1.0,),
    )  # fmt: skip
    trees = ServedModel(id="trees", kind=SPREAD, bar_ns=BAR_NS, weights=made_up_trees())
    for model in (network, trees):
        shelf.put(model)
        predictor.on_model(ModelSwap(0, InstrumentId(0), model.kind, 0, model.id), shelf)
    clock = [0]

    def bar() -> None:
        clock[0] += BAR_NS
        predictor.advance(clock[0])

    yield measured(f"a whole bar, hidden {hidden} and trees", "engine", bar)


def _against(timing: Timing, fast: Timing) -> Timing:
    return msgspec.structs.replace(timing, ratio=timing.cpu_us / fast.cpu_us)
