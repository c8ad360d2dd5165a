"""Networks computed beside the engine: outputs come as events and are the kernel's; what fails is taken back within a bar."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]'")

from mmd.core.events import Event, ModelOutput, ModelSwap  # noqa: E402
from mmd.core.learned.model_run import PriceRun  # noqa: E402
from mmd.core.learned.models_spec import ModelsSpec  # noqa: E402
from mmd.core.learned.prediction import PartStatus  # noqa: E402
from mmd.core.learned.remote_run import RemoteRun  # noqa: E402
from mmd.core.learned.samples import WARM_BARS  # noqa: E402
from mmd.core.learned.schema import N  # noqa: E402
from mmd.core.learned.served_model import PRICE, ModelRole  # noqa: E402
from models import remote_prediction  # noqa: E402
from models.artefact import Artefact, read_artefact, write_artefact  # noqa: E402
from models.checks import network_outputs  # noqa: E402
from models.export import NETWORK_FILE, scripted_step  # noqa: E402
from models.live import LiveModels  # noqa: E402
from models.remote_prediction import BATCH_MIN, device_of  # noqa: E402
from models.serving import registry_at  # noqa: E402
from tests.driver_bench import DriverBench  # noqa: E402
from tests.session import session_spec  # noqa: E402
from tests.trained_models import manifest, network_weights  # noqa: E402

BAR_MS = 10_000
"""Of engine time, which a test passes; of real time it is how long torch may take on a busy machine."""


def champion(folder: Path) -> Artefact:
    """A small network with the same step in TorchScript."""
    weights = {k: 0.05 * v for k, v in network_weights(1).items()}
    weights["scale"] = np.ones_like(weights["scale"])
    scales = {"change_scale": np.ones(1, np.float32), "volatility_scale": np.ones(1, np.float32)}
    inputs = np.random.default_rng(0).normal(size=(20, N)).astype(np.float32)
    golden = {"inputs": inputs, "outputs": network_outputs(weights, inputs)}
    own = {NETWORK_FILE: scripted_step(weights)}
    made = write_artefact(
        folder, manifest("price_lstm", bar_ns=BAR_MS * 1_000_000), weights | scales, golden, own
    )
    registry_at(folder).promote(made.name)
    return read_artefact(made)


class Daemon:
    """The part of it that models are part of, whose network torch computes."""

    def __init__(self, folder: Path, backend: str = "torch_cpu") -> None:
        models = ModelsSpec(
            enabled=True,
            folder=str(folder),
            bar_ns=BAR_MS * 1_000_000,
            uses_forecast=True,
            late_bars=2,
        )
        self.live = LiveModels(session_spec(models=models), backend=backend)
        self.live.preload()
        self.bench = DriverBench(session_spec(models=models), models=self.live.shelf)
        self.bench.start()
        self.bench.driver.stop()
        self.live.place(self.bench.real_engine, self.bench.driver, self.bench.clock)
        self.bench.bring_up()
        predictor = self.bench.maker.predictor
        assert predictor is not None
        self.predictor = predictor

    @property
    def run(self) -> PriceRun | RemoteRun:
        """The champion at work."""
        return self.predictor.seats.price[ModelRole.CHAMPION]

    async def play(self, bars: int) -> None:
        """So many bars, each answered before the next."""
        for _ in range(bars):
            self.bench.pass_time(BAR_MS)
            self.bench.diff({9_999: 5_000 + self.bench.update_id % 7})
            self.bench.tick()
            await self.until(lambda: isinstance(self.run, PriceRun) or not self.is_waiting)

    @property
    def is_waiting(self) -> bool:
        """Whether bars are out."""
        run = self.run
        return isinstance(run, RemoteRun) and run.answered < run.asked

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something of real time."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def test_outputs_come_as_events_and_are_the_kernels(tmp_path: Path) -> None:
    """After the warm-up the forecast is what the compiled network says of the same bars; events survive the journal."""
    artefact = champion(tmp_path)
    daemon, other = Daemon(tmp_path), Daemon(tmp_path, "compiled")
    assert isinstance(daemon.run, RemoteRun)
    await daemon.play(WARM_BARS + 20)
    await other.play(WARM_BARS + 20)
    assert daemon.predictor.prediction["price_status"][0] == PartStatus.OK
    wanted = float(other.predictor.prediction["forecast_ticks"][0])
    assert wanted != 0.0
    assert daemon.predictor.prediction["forecast_ticks"][0] == pytest.approx(wanted, abs=1e-5)
    told = [e for e in daemon.bench.journal.records if isinstance(e, ModelOutput)]
    assert len(told) >= WARM_BARS
    assert {e.model_id for e in told} == {artefact.path.name}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(told[-1]), type=Event) == told[-1]


async def test_a_backend_that_fails_is_taken_back_within_a_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiled kernel has been through the last bars when it takes over; a fallback is counted."""
    champion(tmp_path)
    daemon = Daemon(tmp_path)
    await daemon.play(WARM_BARS + 5)
    remote = daemon.live._remotes._made[daemon.run.model.id]

    def broken(*_: object) -> None:
        raise RuntimeError("the card fell off the bus")

    monkeypatch.setattr(remote._backend, "submit", broken)
    await daemon.play(1)
    assert isinstance(daemon.run, PriceRun)
    assert daemon.predictor.prediction["price_status"][0] == PartStatus.OK
    assert daemon.predictor.seats.fallbacks == 1
    assert "fell off the bus" in remote.failed
    swaps = [e for e in daemon.bench.journal.records if isinstance(e, ModelSwap)]
    assert [s.is_remote for s in swaps] == [True, False]


async def test_a_backend_that_hangs_is_late_and_then_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unanswered bars make the part LATE, and quotes go without it, until the kernel takes over."""
    champion(tmp_path)
    daemon = Daemon(tmp_path)
    await daemon.play(WARM_BARS + 5)
    remote = daemon.live._remotes._made[daemon.run.model.id]
    release = asyncio.Event()

    async def hangs(*_: object) -> None:
        await release.wait()
        raise TimeoutError

    monkeypatch.setattr(remote, "_compute", hangs)
    for _ in range(4):
        daemon.bench.pass_time(BAR_MS)
        daemon.bench.tick()
        await asyncio.sleep(0)
    assert daemon.predictor.prediction["price_status"][0] == PartStatus.LATE
    assert daemon.bench.maker.quoter.quote["forecast"][0] == 0.0
    release.set()
    await daemon.until(lambda: isinstance(daemon.run, PriceRun))
    assert daemon.predictor.prediction["price_status"][0] == PartStatus.OK


async def test_outputs_of_another_past_are_not_taken(tmp_path: Path) -> None:
    """A gap, and the network's state is begun anew: what was under way is nobody's answer."""
    champion(tmp_path)
    daemon = Daemon(tmp_path)
    await daemon.play(WARM_BARS + 5)
    run = daemon.run
    assert isinstance(run, RemoteRun)
    daemon.bench.maker.view.lose(daemon.bench.now_ns)
    assert run.status == PartStatus.WARMING_UP
    assert not run.take(run.asked, (0.0, 0.0, 0.0))
    assert not run.take(run.asked + 1, (0.0, 0.0, 0.0))


async def test_a_network_without_its_script_is_computed_in_the_engine(tmp_path: Path) -> None:
    """What torch cannot load is said, and costs nothing but that."""
    made = champion(tmp_path)
    (made.path / NETWORK_FILE).write_bytes(b"torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.artefact._sha256", lambda p: made.manifest.files[p.name])
        daemon = Daemon(tmp_path)
    assert isinstance(daemon.run, PriceRun)
    assert daemon.predictor.champions[PRICE] == made.path.name


@pytest.mark.parametrize(
    ("backend", "instruments", "card", "device"),
    [
        ("compiled", 100, True, ""),
        ("torch_cpu", 1, False, "cpu"),
        ("torch_cuda", 1, True, "cuda"),
        ("auto", BATCH_MIN - 1, True, ""),
        ("auto", BATCH_MIN, True, "cuda"),
        ("auto", BATCH_MIN, False, ""),
    ],
)
def test_auto_takes_a_card_where_there_are_many_instruments(
    backend: str, instruments: int, card: bool, device: str
) -> None:
    """And never torch on the CPU, which is slower than the kernel."""
    assert device_of(backend, instruments, lambda: card) == device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")
async def test_a_card_says_what_the_kernel_says(tmp_path: Path) -> None:
    """The same as on the CPU."""
    champion(tmp_path)
    daemon, other = Daemon(tmp_path, "torch_cuda"), Daemon(tmp_path, "compiled")
    await daemon.play(WARM_BARS + 20)
    await other.play(WARM_BARS + 20)
    wanted = float(other.predictor.prediction["forecast_ticks"][0])
    assert daemon.predictor.prediction["forecast_ticks"][0] == pytest.approx(wanted, abs=1e-4)


def test_the_module_loads_no_torch() -> None:
    """Only who asks for torch has it in memory: the import stands inside the constructor."""
    assert not hasattr(remote_prediction, "torch")
