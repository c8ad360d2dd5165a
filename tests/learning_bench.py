"""An engine that quotes with learned models, and time that passes in a market that stands still."""

import numpy as np

from mmd.core.events import ModelSwap
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.served_model import PRICE, ModelRole, ModelShelf, ServedModel
from tests.engine_bench import ZERO, EngineBench
from tests.session import quoting, session_spec
from tests.trained_models import network_weights

BAR_NS = 100_000_000


def network(name: str, bias: float = 0.5) -> ServedModel:
    """A network that says almost the same whatever it sees."""
    weights = {k: 0.01 * v for k, v in network_weights(1).items()}
    weights["bo"] = np.array([bias, 0.0, bias], np.float32)
    weights["scale"] = np.ones_like(weights["scale"])
    return ServedModel(
        id=f"price_lstm-{name}", kind=PRICE, bar_ns=BAR_NS, horizons=(10,), weights=weights,
        change_scale=(1.0,), volatility_scale=(1.0,),
    )  # fmt: skip


def bench_of(models: ModelsSpec, **settings: object) -> EngineBench:
    """One that quotes."""
    spec = session_spec(models=models, quoting=quoting(**settings))
    bench = EngineBench(spec, ModelShelf())
    bench.bring_up()
    bench.turn()
    return bench


def seat(bench: EngineBench, model: ServedModel, role: ModelRole = ModelRole.CHAMPION) -> None:
    """A swap."""
    bench.engine._models.put(model)
    bench.event(ModelSwap(bench.now_ns, ZERO, PRICE, role, model.id))


def later(bench: EngineBench, seconds: float) -> None:
    """Time passes with a market that stands still, a timer every tenth of a second."""
    for _ in range(round(seconds * 10)):
        bench.pass_time(100)
        bench.diff({9_999: 5_000 + bench.update_id % 7})
        bench.tick()
        bench.turn()
