"""Runs the champion network in torch beside the engine: inputs in, outputs back as events, one batch for all instruments.

On CUDA a batch is launched and asked for until it is there; on the CPU it runs in a thread. Where torch fails, or takes longer
than a bar, the compiled kernel takes over: one event, after which the network has been through the last bars already.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray

from mmd.core.events import ModelOutput, ModelSwap
from mmd.core.learned.schema import N
from mmd.core.learned.served_model import PRICE, ModelRole
from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND, InstrumentId
from mmd.errors import ArtefactError
from mmd.jit.kernel import F4
from mmd.shell.driver import Driver
from models.artefact import Artefact

WAITING_MAX: Final = 512
"""Bars of an instrument that may wait; more than a warm-up's are a backend that hangs."""
BATCH_MIN: Final = 16
"""Instruments from which a card is worth its way there and back."""
_POLL_S: Final = 2e-4
_WARM_UPS: Final = 4
_log = structlog.get_logger()
Batch = dict[int, tuple[int, F4]]
"""By instrument: number and inputs of a bar."""


class Desk(NamedTuple):
    """Where outputs go."""

    driver: Driver
    clock: Clock


class RemotePrediction:
    """One model for all instruments of a session.

    Attributes:
        failed: why it computes no more; empty while it does.
        batches: how many there were.
    """

    def __init__(self, artefact: Artefact, instruments: int, device: str, bar_ns: int) -> None:
        """Imports torch, loads the network and compares it with the compiled step; may be called in a thread.

        Raises: ArtefactError; RuntimeError or ImportError where there is no such device, or no torch.
        """
        import torch  # noqa: PLC0415 - only who asks for torch loads it

        from models.torch_backend import TorchBackend  # noqa: PLC0415

        torch.set_num_threads(1)
        self.model_id = artefact.path.name
        self.device = device
        self.failed = ""
        self.batches = 0
        self._backend: TorchBackend = TorchBackend(artefact, instruments, device)
        self._waiting: list[deque[tuple[int, F4]]] = [deque() for _ in range(instruments)]
        self._is_cleared = np.zeros(instruments, np.bool_)
        self._patience_s = max(bar_ns / NANOS_PER_SECOND, 0.01)
        self._news = asyncio.Event()
        nobody = np.zeros(instruments, np.bool_)
        for _ in range(_WARM_UPS):  # the first calls of a shape are compiled
            self._step(np.zeros((instruments, N), np.float32), nobody)

    def sink(self, instrument: int) -> "InstrumentSink":
        """The entrance of one instrument."""
        return InstrumentSink(self, instrument)

    def submit(self, instrument: int, number: int, x: F4) -> None:
        """A bar of an instrument has ended."""
        waiting = self._waiting[instrument]
        if self.failed == "" and len(waiting) < WAITING_MAX:
            waiting.append((number, x.copy()))
            self._news.set()

    def clear(self, instrument: int) -> None:
        """An instrument's past is over."""
        self._waiting[instrument].clear()
        self._is_cleared[instrument] = True

    async def run(self, desk: Desk) -> None:
        """Compute what is asked until it fails; then say so, and have the engine compute for itself."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while batch := self._next():
                    await self._compute(batch, desk)
        except TimeoutError:
            self._fail(f"no outputs within {self._patience_s:g} s", desk)
        except Exception as error:  # noqa: BLE001 - whatever a driver of a device may raise
            self._fail(f"{type(error).__name__}: {error}", desk)

    def _next(self) -> Batch:
        """The oldest bar of each instrument that has one."""
        return {at: waiting.popleft() for at, waiting in enumerate(self._waiting) if waiting}

    async def _compute(self, batch: Batch, desk: Desk) -> None:
        for gone in np.flatnonzero(self._is_cleared):
            self._backend.clear(int(gone))
        self._is_cleared[:] = False
        x = np.zeros((len(self._waiting), N), np.float32)
        is_due = np.zeros(len(self._waiting), np.bool_)
        for at, (_, row) in batch.items():
            x[at], is_due[at] = row, True
        async with asyncio.timeout(self._patience_s):
            if self.device == "cuda":
                self._backend.submit(x, is_due)
                while not self._backend.is_done:  # noqa: ASYNC110 - a card wakes nobody
                    await asyncio.sleep(_POLL_S)
                outputs = self._backend.take()
            else:
                outputs = await asyncio.to_thread(self._step, x, is_due)
        self.batches += 1
        driver, clock = desk
        for at, (number, _) in batch.items():
            said = tuple(map(float, outputs[at]))
            now_ns = clock.monotonic_ns()
            driver.on_event(ModelOutput(now_ns, InstrumentId(at), self.model_id, number, said))

    def _step(self, x: F4, is_due: NDArray[np.bool_]) -> F4:
        self._backend.submit(x, is_due)
        return self._backend.take()

    def _fail(self, why: str, desk: Desk) -> None:
        """Have the compiled kernel take over."""
        self.failed = why
        _log.error("model_backend_failed", model=self.model_id, device=self.device, error=why)
        driver, clock = desk
        for instrument in driver.engine.instruments:
            predictor = driver.engine.makers[instrument.id].predictor
            if predictor is not None and predictor.champions.get(PRICE) == self.model_id:
                swap = ModelSwap(
                    clock.monotonic_ns(), instrument.id, PRICE, ModelRole.CHAMPION, self.model_id
                )
                driver.on_event(swap)


class InstrumentSink:
    """Implements `mmd.core.learned.remote_run.PredictionSink`."""

    def __init__(self, remote: RemotePrediction, instrument: int) -> None:
        self._remote = remote
        self._instrument = instrument

    def submit(self, number: int, x: F4) -> None:
        """Step the network by one bar."""
        self._remote.submit(self._instrument, number, x)

    def clear(self) -> None:
        """Forget the past."""
        self._remote.clear(self._instrument)


class RemoteBackends:
    """Those of one run: made before they are needed, one of them at work."""

    def __init__(self, device: str, instruments: int, bar_ns: int) -> None:
        """`device` is cpu or cuda; empty: every network is computed in the engine."""
        self._device, self._instruments, self._bar_ns = device, instruments, bar_ns
        self._made: dict[str, RemotePrediction] = {}
        self._task: asyncio.Task[None] | None = None

    def prepare(self, artefact: Artefact) -> None:
        """Load a network, without which the compiled kernel is used; takes a while, and may be called in a thread."""
        if self._device == "" or artefact.manifest.kind != PRICE:
            return
        made = self._device, self._bar_ns
        try:
            remote = RemotePrediction(artefact, self._instruments, *made)
        except (ArtefactError, ImportError, RuntimeError) as error:
            _log.error("model_backend_refused", model=artefact.path.name, error=str(error))
            return
        self._made[artefact.path.name] = remote

    def seat(self, model_id: str, desk: Desk) -> bool:
        """Have a champion computed elsewhere from now on; False: it is to be computed in the engine."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        remote = self._made.get(model_id)
        if remote is None or remote.failed != "":
            return False
        for maker in desk.driver.engine.makers:
            if maker.predictor is not None:
                maker.predictor.seats.sink = remote.sink(maker.instrument.id)
        self._task = asyncio.get_running_loop().create_task(remote.run(desk))
        return True


def device_of(backend: str, instruments: int, has_card: Callable[[], bool]) -> str:
    """The torch device that the setting `models.backend` means here; empty: the compiled kernel.

    A card pays where many instruments share a batch: `auto` takes one for BATCH_MIN instruments and more.
    """
    if backend == "torch_cpu":
        return "cpu"
    if backend == "torch_cuda" or (backend == "auto" and instruments >= BATCH_MIN and has_card()):
        return "cuda"
    return ""


def has_card() -> bool:
    """Whether there is a card that torch could use, found without loading torch."""
    return Path("/dev/nvidiactl").exists() and find_spec("torch") is not None
