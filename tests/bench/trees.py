"""The spread model served: the compiled walk beside LightGBM's own ways to predict one row, in one run.

Run it by itself: `python -m tests.bench.trees`. Bars interleave, so that whatever else the machine does hits all alike.
"""

import ctypes
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from mmd.core.learned import forest
from mmd.core.learned.schema import N
from mmd.jit.kernel import bind
from tests.bench.quantiles import row

TREES: Final = (200, 300)
_LEAVES: Final = 31
_PREDICT_NORMAL, _FLOAT64 = 0, 1
WARM_UP: Final = 200


def booster(trees: int, seed: int = 1) -> Any:
    """Trees of 31 leaves on noise with a signal, over the whole schema."""
    import lightgbm as lgb

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(8_000, N))
    y = x[:, 3] * x[:, 7] + np.abs(x[:, 11]) + rng.normal(size=len(x))
    parameters = {
        "objective": "regression",
        "num_leaves": _LEAVES,
        "learning_rate": 0.05,
        "num_threads": 1,
        "verbosity": -1,
        "use_missing": False,
        "seed": seed,
    }
    return lgb.train(parameters, lgb.Dataset(x, y), num_boost_round=trees)


class FastRow:
    """LightGBM's single-row fast C interface.

    Source: LightGBM C API, LGBM_BoosterPredictForMatSingleRowFastInit and ..Fast.
    """

    def __init__(self, model: Any) -> None:
        from lightgbm import basic

        self._model, self._call = model, basic._LIB
        self._config, self._length = ctypes.c_void_p(), ctypes.c_int64()
        status = self._call.LGBM_BoosterPredictForMatSingleRowFastInit(
            model._handle,
            _PREDICT_NORMAL,
            0,
            -1,
            _FLOAT64,
            N,
            b"num_threads=1",
            ctypes.byref(self._config),
        )
        assert status == 0, self._call.LGBM_GetLastError()
        self._out = ctypes.c_double()

    def __call__(self, x: np.ndarray) -> float:
        status = self._call.LGBM_BoosterPredictForMatSingleRowFast(
            self._config,
            ctypes.c_void_p(x.ctypes.data),
            ctypes.byref(self._length),
            ctypes.byref(self._out),
        )
        assert status == 0, self._call.LGBM_GetLastError()
        return self._out.value

    def close(self) -> None:
        """Give its memory back."""
        self._call.LGBM_FastConfigFree(self._config)


def compiled(model: Any) -> Callable[[np.ndarray], float]:
    """The walk as the daemon calls it: inputs in, a kernel, the sum out."""
    record = forest.new_forest(forest.packed(model.dump_model()))
    walk = bind(forest.predict, record)
    inputs, out = record["x"][0], memoryview(record["out"])

    def predict(x: np.ndarray) -> float:
        inputs[:] = x
        assert walk(record) == forest.OK
        return out[0]

    return predict


def measure(trees: int, count: int, slow: int) -> dict[str, list[int]]:
    """Nanoseconds by way of predicting; all must give the same bits."""
    model = booster(trees)
    fast = FastRow(model)
    walk = compiled(model)
    ways: dict[str, Callable[[np.ndarray], float]] = {
        "compiled walk": walk,
        "LightGBM fast row": fast,
        "Booster.predict": lambda x: float(model.predict(x[None], num_threads=1)[0]),
    }
    every = max(count // slow, 1)
    found: dict[str, list[int]] = {name: [] for name in ways}
    rows = np.random.default_rng(2).normal(size=(count + WARM_UP, N))
    for k, x in enumerate(rows):
        said = set()
        for name, predict in ways.items():
            if name == "Booster.predict" and k % every:
                continue
            began = time.perf_counter_ns()
            value = predict(x)
            took = time.perf_counter_ns() - began
            said.add(value)
            if k >= WARM_UP:
                found[name].append(took)
        assert len(said) == 1, f"expected the same bits of all, found {said}"
    fast.close()
    return found


def table(count: int = 20_000) -> Table:
    """Every way by number of trees."""
    out = Table(title=f"Spread model, one row of {N} inputs, trees of {_LEAVES} leaves (µs)")
    for column in ("trees", "how", "p50", "p90", "p99"):
        out.add_column(column, justify="left" if column == "how" else "right")
    for trees in TREES:
        for name, durations_ns in measure(trees, count, count // 10).items():
            out.add_row(str(trees), name, *row(durations_ns))
        out.add_section()
    out.caption = "the same bits from all; calls from Python included"
    return out


if __name__ == "__main__":
    Console().print(table())
