"""The rehearsal of the hot path: it really quotes, and it touches nothing real."""

import asyncio

import msgspec
import numpy as np

from adapters.binance_spot.rehearsal import BinanceSpotStage
from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.engine import Engine
from mmd.core.events import ModelSwap
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.prediction import PartStatus, Rung
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.served_model import PRICE, SPREAD, ModelRole, ModelShelf, ServedModel
from mmd.core.units import InstrumentId
from mmd.journal.scratch import ScratchJournal
from mmd.shell.clock import SystemClock
from mmd.shell.rehearsal import KeepWarm, Rehearsal, snapshot_at
from tests.driver_bench import DriverBench
from tests.session import instrument, session_spec
from tests.trained_models import forest_weights, network_weights

MID = 10_000


def network() -> ServedModel:
    """A small one that says little."""
    weights = {k: 0.01 * v for k, v in network_weights(1).items()}
    weights["scale"] = np.ones_like(weights["scale"])
    return ServedModel(
        id="price_lstm-1", kind=PRICE, bar_ns=100_000_000, horizons=(10,), weights=weights,
        change_scale=(1.0,), volatility_scale=(1.0,),
    )  # fmt: skip


def trees() -> ServedModel:
    """A forest of one split."""
    return ServedModel(id="trees-1", kind=SPREAD, bar_ns=100_000_000, weights=forest_weights())


def _rehearsal(**changes) -> tuple[Rehearsal, ScratchJournal]:
    journal = ScratchJournal()
    rehearsal = Rehearsal(session_spec(**changes), journal, SystemClock())
    rehearsal.begin(BinanceSpotStage(rehearsal.instrument, MID, 1), snapshot_at(MID))
    return rehearsal, journal


def test_every_play_ends_in_orders():
    """Each imaginary move of the market makes the shadow move its orders, and all of it is journalled."""
    rehearsal, journal = _rehearsal()
    rehearsal.play()
    sent, records = rehearsal.orders, journal.records
    for _ in range(50):
        rehearsal.play()
    assert rehearsal.orders - sent == 2 * 50
    assert journal.records - records >= 50 * (2 + 2 * 2)


def test_limits_of_the_session_do_not_silence_it():
    """Rate limits and minimum intervals of the real session hold for the real session alone."""
    spec = session_spec()
    slow = msgspec.structs.replace(
        spec.quoting, requote_interval_ns=10**10, requote_tolerance_bps=50.0
    )
    tight = msgspec.structs.replace(
        spec.risk, orders_per_10s=2, orders_per_day=2, order_to_trade_max=1, order_to_trade_grace=3
    )
    rehearsal, _ = _rehearsal(quoting=slow, risk=tight)
    for _ in range(20):
        rehearsal.play()
    assert rehearsal.orders > 20


def test_an_instrument_with_any_number_is_rehearsed_as_the_first():
    """The shadow trades one instrument, the session's first, whatever its number there."""
    rehearsal, _ = _rehearsal(instruments=(instrument(id=InstrumentId(0), symbol="FIRST"),))
    assert rehearsal.instrument.symbol == "FIRST"
    rehearsal.play()
    assert rehearsal.orders > 0


def test_hedges_on_other_instruments_are_not_rehearsed():
    """The shadow trades one instrument; a route that names another one must not keep it from starting."""
    spec = session_spec()
    hedge = msgspec.structs.replace(spec.hedge, route="named", instruments=("second:MMDUSDT",))
    rehearsal, _ = _rehearsal(hedge=hedge)
    rehearsal.play()
    assert rehearsal.orders > 0


def test_requests_of_the_stage_are_what_the_venue_would_get():
    """The shadow's orders run through the venue's encoder: method, symbol and price are in the frame."""
    stage = BinanceSpotStage(instrument(), MID, 1)
    place = PlaceOrder(InstrumentId(0), 1 << 33, 0, MID, 5, 0)
    replace = ReplaceOrder(InstrumentId(0), 1 << 33, (1 << 33) + 1, 0, MID, 5, 0)
    assert len(stage.encode(replace)) > len(stage.encode(place)) > 200


def test_predictions_are_rehearsed_with_the_real_models():
    """Every fourth play ends a bar; after a hundred the network speaks; nothing of the real one changes."""
    models = ModelsSpec(enabled=True, uses_forecast=True, spread_weight=0.5)
    shelf = ModelShelf()
    for model in (network(), trees()):
        shelf.put(model)
    spec = session_spec(models=models)
    real = Engine(spec, shelf)
    predictor = real.makers[0].predictor
    for model in shelf:
        real.apply(ModelSwap(0, InstrumentId(0), model.kind, ModelRole.CHAMPION, model.id))
    before = [bytes(run._lines.base) for run in predictor.seats.price.values()]
    rehearsal = Rehearsal(spec, ScratchJournal(), SystemClock(), shelf)
    rehearsal.begin(BinanceSpotStage(rehearsal.instrument, MID, 1), snapshot_at(MID))
    rehearsal.follow(predictor)
    shadow = rehearsal.maker.predictor
    assert shadow.champions == predictor.champions
    for _ in range(4 * (WARM_BARS + 2)):
        rehearsal.play()
        predictor.seats.read_through()
    assert shadow.prediction["bars"][0] >= WARM_BARS
    assert shadow.prediction["price_status"][0] == PartStatus.OK
    assert shadow.rungs.rung is Rung.FULL
    assert rehearsal.orders > 4 * WARM_BARS
    assert [bytes(run._lines.base) for run in predictor.seats.price.values()] == before
    assert predictor.prediction["bars"][0] == 0


async def test_it_waits_for_the_market_and_gives_way_to_decisions():
    """Nothing is rehearsed before the first real order, nor while a real decision is due."""
    bench = DriverBench()
    bench.start()
    rehearsal = Rehearsal(bench.driver.engine.spec, ScratchJournal(), SystemClock())
    warm = KeepWarm(rehearsal, bench.driver, 1e-3, BinanceSpotStage)
    warm.start()
    await asyncio.sleep(0.15)
    assert rehearsal.orders == 0
    bench.bring_up()
    await asyncio.sleep(0.3)
    assert rehearsal.orders > 0
    sent, records = list(bench.venue.sent), len(bench.journal.records)
    played = rehearsal.orders
    bench.shift(5)  # a decision is due, and nothing lets the loop make it
    assert not bench.driver.is_idle
    warm.play_if_idle()
    assert rehearsal.orders == played
    assert bench.venue.sent == sent, "the real venue hears of real orders only"
    assert len(bench.journal.records) <= records + 1
    warm.stop()
    bench.driver.stop()
