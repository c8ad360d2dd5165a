"""Predictions come at the ends of bars, are the batch's, move quotes within bounds, and drop out in order."""

import msgspec
import numpy as np
import pytest

from mmd.core.events import ModelRefused, ModelSwap
from mmd.core.learned import q_policy
from mmd.core.learned.model_run import PriceRun
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.ordinary_bar import Records
from mmd.core.learned.policy_run import Lean
from mmd.core.learned.prediction import PartStatus, Rung
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.served_model import POLICY, PRICE, SPREAD, ModelRole, ModelShelf, ServedModel
from mmd.core.market_view import MarketView
from mmd.core.quoting.record import QUOTE
from mmd.core.units import InstrumentId
from mmd.errors import ArtefactError
from mmd.jit.kernel import Rec, new
from mmd.tape.bar_samples import bar_samples
from mmd.tape.frames import Frames
from mmd.tape.reader import Tape
from models.checks import network_outputs
from tests.bench.tape import synthetic_rows
from tests.tapes import write_tape
from tests.trained_models import forest_weights, network_weights

BAR_NS = 20_000_000
ZERO = InstrumentId(0)
SPEC = ModelsSpec(enabled=True, bar_ns=BAR_NS, uses_forecast=True, spread_weight=0.5)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Three hundred bars."""
    rows = synthetic_rows(600)
    return write_tape(tmp_path_factory.mktemp("tape") / "x.tape.parquet", rows)


def network(seed: int = 1, **changes: object) -> ServedModel:
    """A served network with random weights, of outputs within what a network learns."""
    weights = network_weights(seed)
    fields = {
        "id": f"price_lstm-{seed}",
        "kind": PRICE,
        "bar_ns": BAR_NS,
        "horizons": (10,),
        "weights": weights,
        "change_scale": (2.0,),
        "volatility_scale": (3.0,),
    }
    return ServedModel(**(fields | changes))


def forest(value: float = 30.0) -> ServedModel:
    """A served forest that says value, or twice that."""
    return ServedModel(
        id=f"spread_forest-{value}", kind=SPREAD, bar_ns=BAR_NS, weights=forest_weights(value)
    )


class World:
    """A view with a predictor, fed by a tape."""

    def __init__(self, tape: Tape, *models: ServedModel, spec: ModelsSpec = SPEC) -> None:
        self.view, self.quote, self.shelf = MarketView(), new(QUOTE), ModelShelf()
        view, self.leans = self.view, []
        records = Records(view.features, view.flow, view.vol, self.quote)
        self.predictor = Predictor(spec, records, 0, self.leans.append)
        self.view.predict_by(self.predictor)
        self.frames, self.now_ns = iter(Frames(tape)), 0
        for model in models:
            self.swap(model)

    def swap(self, model: ServedModel, role: ModelRole = ModelRole.CHAMPION) -> None:
        """The event of a swap."""
        self.shelf.put(model)
        event = ModelSwap(self.now_ns, ZERO, model.kind, role, model.id)
        self.predictor.on_model(event, self.shelf)

    def play(self, frames: int) -> None:
        """So many frames more."""
        for _, market in zip(range(frames), self.frames, strict=False):
            self.now_ns = int(market["ts_recv_ns"][0])
            self.view.apply(market, self.now_ns)

    @property
    def prediction(self) -> Rec:
        """The last one."""
        return self.predictor.prediction[0]


def test_predictions_are_those_of_the_batch(tape: Tape) -> None:
    """After any number of frames the forecast is what the network gives on the tape's samples, in ticks."""
    world = World(tape, network(), forest())
    world.play(10_000)
    n = int(world.prediction["bars"])
    assert n > 2 * WARM_BARS
    samples = bar_samples(tape, bar_ns=BAR_NS)
    assert samples.end_ns[n - 1] == world.prediction["end_ns"]
    out = network_outputs(network_weights(1), samples.x[:n])[-1]
    assert world.prediction["forecast_ticks"] == pytest.approx(2.0 * out[0], abs=1e-4)
    assert world.prediction["probability"] == pytest.approx(1.0 / (1.0 + np.exp(-out[2])), abs=1e-5)
    assert world.predictor.rungs.rung is Rung.FULL
    assert world.quote["forecast"][0] == world.prediction["forecast_ticks"]
    half_ticks = world.prediction["half_spread_bps"] * 1e-4 * samples.mid[n - 1]
    assert world.quote["learned_half"][0] == pytest.approx(half_ticks)


def test_nothing_is_said_before_a_hundred_bars_nor_after_a_gap(tape: Tape) -> None:
    """Quotes are the spread model's own until then; a lost feed takes predictions back at once."""
    world = World(tape, network(), forest())
    world.play(150)
    assert world.prediction["price_status"] == PartStatus.WARMING_UP
    assert world.quote["forecast"][0] == world.quote["learned_half"][0] == 0.0
    assert world.predictor.rungs.rung is Rung.GLFT
    world.play(200)
    assert world.predictor.rungs.rung is Rung.FULL
    world.view.lose(world.now_ns)
    assert world.quote["forecast"][0] == world.quote["learned_half"][0] == 0.0
    assert world.predictor.rungs.rung is Rung.GLFT
    assert [c.after for c in world.predictor.rungs.changes] == [Rung.FULL, Rung.GLFT]
    assert world.prediction["bars"] == 0
    for bar in range(2 * WARM_BARS):  # timers close no bars of a book that is not there
        world.view.close_bars(world.now_ns + bar * BAR_NS)
    assert world.predictor.samples["bars"][0] == 0


def test_a_swap_takes_place_between_two_events(tape: Tape) -> None:
    """The new network has been through the last hundred bars when it comes, and says what it would have said."""
    world, other = World(tape, network(1)), World(tape, network(2))
    for each in (world, other):
        each.play(350)
    world.swap(network(2))
    assert world.prediction["price_status"] == PartStatus.OK
    assert world.predictor.champions == {PRICE: "price_lstm-2"}
    # It remembers nothing older than that, which a network that ran all along does.
    ran_on = other.prediction["forecast_ticks"]
    assert world.prediction["forecast_ticks"] == pytest.approx(ran_on, abs=0.05)
    for each in (world, other):
        each.play(100)
    assert world.prediction["forecast_ticks"] == pytest.approx(
        other.prediction["forecast_ticks"], abs=0.01
    )


def test_the_ladder_goes_down_part_by_part(tape: Tape) -> None:
    """Numbers that are none, or are beyond what was learned, take their part away and leave the rest."""
    bad = network_weights(3)
    bad["bo"] = np.full_like(bad["bo"], 40.0)
    world = World(tape, network(1), forest())
    world.play(350)
    world.swap(network(3, weights=bad))
    assert world.prediction["price_status"] == PartStatus.OUT_OF_RANGE
    assert world.predictor.rungs.rung is Rung.TREES
    assert world.quote["forecast"][0] == 0.0
    assert world.quote["learned_half"][0] > 0.0
    world.swap(forest(5_000.0))
    assert world.prediction["spread_status"] == PartStatus.OUT_OF_RANGE
    assert world.predictor.rungs.rung is Rung.GLFT
    world.swap(network(1))
    assert world.predictor.rungs.rung is Rung.FORECAST
    nan = network_weights(4)
    nan["bo"] = np.full_like(nan["bo"], np.nan)
    world.swap(network(4, weights=nan))
    assert world.prediction["price_status"] == PartStatus.NOT_FINITE
    assert world.predictor.rungs.rung is Rung.GLFT


def test_a_model_that_does_not_fit_is_refused_and_the_old_one_stays(tape: Tape) -> None:
    """Another bar, another horizon, another schema; also what the shell refused is counted."""
    world = World(tape, network(1))
    world.play(350)
    before = float(world.prediction["forecast_ticks"])
    narrow = {
        k: v[:5] if k in ("w1", "shift", "scale") else v for k, v in network_weights(2).items()
    }
    for model in (
        network(5, bar_ns=BAR_NS + 1),
        network(6, horizons=(7,)),
        network(7, weights=narrow),
        msgspec.structs.replace(forest(), kind=PRICE, id="x"),
    ):
        world.swap(model)
        assert model.id in world.predictor.refusal
    world.predictor.on_model(ModelRefused(0, ZERO, PRICE, "y", "y is damaged"), world.shelf)
    assert (world.predictor.refusals, world.predictor.refusal) == (5, "y is damaged")
    assert world.predictor.champions == {PRICE: "price_lstm-1"}
    assert world.prediction["forecast_ticks"] == before
    with pytest.raises(ArtefactError, match="unheard"):
        world.predictor.on_model(ModelSwap(0, ZERO, PRICE, 0, "unheard"), world.shelf)


def test_a_challenger_is_scored_and_moves_nothing(tape: Tape) -> None:
    """Its errors are those of its own forecasts against what the mid did, and quotes do not know of it."""
    alone, watched = World(tape, network(1)), World(tape, network(1))
    watched.swap(network(2), ModelRole.CHALLENGER)
    for each in (alone, watched):
        each.play(10_000)
    assert watched.quote["forecast"][0] == alone.quote["forecast"][0]
    (score,) = watched.predictor.scores[ModelRole.CHALLENGER].scores
    samples = bar_samples(tape, bar_ns=BAR_NS)
    n = int(watched.prediction["bars"])
    said = 2.0 * network_outputs(network_weights(2), samples.x[:n])[:, 0]
    change = samples.mid[WARM_BARS - 1 + 10 : n] - samples.mid[WARM_BARS - 1 : n - 10]
    assert score.n == len(change)
    assert score.squared_change == pytest.approx(np.square(change).sum())
    wanted = np.square(change - said[WARM_BARS - 1 : n - 10]).sum()
    assert score.squared_error == pytest.approx(wanted, rel=1e-4)
    assert score.r2 == pytest.approx(1.0 - wanted / np.square(change).sum(), abs=1e-3)
    assert alone.predictor.scores[ModelRole.CHAMPION].scores[0].n == score.n


def table(action: int, bar_ns: int = 5 * BAR_NS) -> ServedModel:
    """A served policy that knows one thing to do."""
    q = np.zeros((q_policy.STATES, q_policy.ACTIONS))
    q[:, action] = 1.0
    weights = {
        "q": q,
        "q_error": np.full_like(q, 1e-3),
        "visits": np.full(q.shape, 10_000, np.int32),
        "spread_edges": np.array(q_policy.SPREAD_EDGES_TICKS),
        "volatility_edges": np.array(q_policy.VOLATILITY_EDGES_BPS),
    }
    return ServedModel(id=f"q_table-{action}", kind=POLICY, bar_ns=bar_ns, weights=weights)


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (q_policy.AGGRESSIVE, Lean(spread=0.5)),
        (q_policy.PASSIVE, Lean(spread=2.0)),
        (q_policy.REDUCE, Lean(skew=3.0)),
        (q_policy.NO_QUOTES, Lean(size=0.0)),
    ],
)
def test_the_policy_leans_on_quotes_once_a_bar_of_its_own(
    tape: Tape, action: int, wanted: Lean
) -> None:
    """After the warm-up, by one factor; a lost feed takes it back; shadowed, it moves nothing."""
    spec = msgspec.structs.replace(SPEC, uses_policy=True)
    world, shadow = World(tape, table(action), spec=spec), World(tape, table(action))
    for each in (world, shadow):
        each.view.vol["sigma"] = 3.0
        each.play(150)
    assert world.leans == []
    world.play(200)
    shadow.play(200)
    assert world.leans == [wanted]
    policy = world.predictor.policy
    assert policy is not None
    bars = int(world.prediction["bars"])
    assert 0 < policy.decisions <= (bars - WARM_BARS) // 5 + 1
    world.view.lose(world.now_ns)
    assert world.leans == [wanted, Lean()]
    assert shadow.leans == []
    assert shadow.predictor.policy is not None
    world.swap(table(action, bar_ns=BAR_NS // 2))
    assert "q_table" in world.predictor.refusal


def test_the_run_of_a_price_model_wants_its_horizon() -> None:
    """Said in one line with what there is."""
    with pytest.raises(ArtefactError, match="predicts 10 bars ahead, expected 50"):
        PriceRun(network(), 50)
