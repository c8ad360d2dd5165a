"""Training of the price predictor: long sequences, carried state, detached chunks, a masked burn-in.

The training stretch is cut into `batch` long sequences that run side by side; state is carried from chunk to chunk
and cut off from the gradient, and begins anew where the sampling clock restarted. Selection decides what is kept;
the test stretch is not looked at here.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mmd.core.learned.lstm import (
    CHANGE,
    CHANGE_CLIP,
    DIRECTION,
    LOG_VOLATILITY,
    VOLATILITY_FLOOR,
    Shape,
)
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.schema import N
from mmd.errors import TrainingError
from mmd.jit.kernel import F4, F8
from models.network import Network, State
from models.price_data import PriceData, Split, unseen_cycles


class LstmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train; a checkpoint can only be resumed with the same, but for epochs_max."""

    hidden: int = 64
    dense: int = 64
    dropout: float = 0.2
    batch: int = 64
    chunk: int = 100
    epochs_max: int = 30
    learning_rate: float = 1e-3
    patience: int = 5
    """Epochs without a better selection loss before training stops; the rate is halved after half of them."""
    gradient_norm_max: float = 1.0
    seed: int = 1


class Scales(NamedTuple):
    """What targets are divided by, shape (h,) each: ticks of change (sd), ticks of volatility (mean)."""

    change: F4
    volatility: F4


class Epoch(msgspec.Struct, frozen=True):
    """One epoch's losses, and the rate that it was trained at."""

    number: int
    fit: float
    selection: float
    learning_rate: float


class Trained(NamedTuple):
    """The best network by selection loss, its scales, and how it went."""

    network: Network
    scales: Scales
    epochs: list[Epoch]


class _Sequences(NamedTuple):
    """Side by side: inputs (b, t, N), targets (b, t, h, 3) with NaN where unknown, bar numbers (b, t)."""

    x: Tensor
    target: Tensor
    bars: Tensor


def scales_of(data: PriceData) -> Scales:
    """From the training stretch. Raises: TrainingError where the price never moved."""
    change = np.nanstd(data.change, axis=0)
    if not np.all(change > 0.0):
        raise TrainingError("the mid never moves in the training stretch: expected prices that do")
    return Scales(change.astype(np.float32), np.nanmean(data.volatility, axis=0).astype(np.float32))


def targets_of(data: PriceData, scales: Scales) -> F4:
    """Shape (n, h, 3): scaled change, log of scaled volatility, 1 for a rise, 0 for a fall, 1/2 for neither."""
    change = np.clip(data.change / scales.change, -CHANGE_CLIP, CHANGE_CLIP)
    volatility = np.log(data.volatility / scales.volatility + VOLATILITY_FLOOR)
    direction = 0.5 + 0.5 * np.sign(data.change)
    out: F4 = np.stack([change, volatility, direction], axis=2).astype(np.float32)
    return out


def _side_by_side(data: PriceData, scales: Scales, batch: int) -> _Sequences:
    n = len(data.bars.mid) // batch * batch

    def cut(a: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(a[:n]).reshape(batch, -1, *a.shape[1:]))

    return _Sequences(cut(data.bars.x), cut(targets_of(data, scales)), cut(data.bars.bars))


def loss_of(out: Tensor, target: Tensor, is_counted: Tensor) -> Tensor:
    """Huber of the change, squared error of the log volatility, cross entropy of the direction; means over known ones.

    Args:
        out: shape (b, t, h, 3).
        target: the same shape, NaN where unknown.
        is_counted: shape (b, t); what is not is left out.
    """
    use = is_counted[:, :, None] & ~torch.isnan(target[..., CHANGE])
    if not bool(use.any()):
        return out.sum() * 0.0
    got, wanted = out[use], target[use]
    moved = wanted[:, DIRECTION] != 0.5
    change = functional.huber_loss(got[:, CHANGE], wanted[:, CHANGE], delta=2.0)
    volatility = functional.mse_loss(got[:, LOG_VOLATILITY], wanted[:, LOG_VOLATILITY])
    loss = change + 0.1 * volatility
    if bool(moved.any()):
        loss = loss + 0.5 * functional.binary_cross_entropy_with_logits(
            got[moved, DIRECTION], wanted[moved, DIRECTION]
        )
    return loss


def _restarted(state: State, is_new: Tensor) -> State:
    """No past for the sequences whose sampling clock starts again."""
    if not bool(is_new.any()):
        return state
    keep = (~is_new).float()
    h1, c1, h2, c2 = (t * keep[:, None] for t in state[:4])
    return State(h1, c1, h2, c2, state.past * keep[:, None, None], state.seen * (~is_new).long())


def _chunks(data: _Sequences, chunk: int) -> Iterator[tuple[_Sequences, Tensor]]:
    """Chunks in time order, each with which sequences begin anew in it (at its head, to the nearest chunk)."""
    for at in range(0, data.x.shape[1], chunk):
        part = _Sequences(*(t[:, at : at + chunk] for t in data))
        yield part, (part.bars < part.bars[:, :1]).any(dim=1) | (part.bars[:, 0] == 1)


def _epoch(
    network: Network,
    data: _Sequences,
    settings: LstmSettings,
    optimiser: torch.optim.Optimizer | None,
    on_chunk: Callable[[], None],
) -> float:
    """Mean loss over one pass; learns where there is an optimiser."""
    state = network.begin(data.x.shape[0])
    total, count = 0.0, 0
    for part, is_new in _chunks(data, settings.chunk):
        state = _restarted(state, is_new)
        out, state = network(part.x, State(*(t.detach() for t in state)))
        loss = loss_of(out, part.target, part.bars > WARM_BARS)
        if optimiser is not None:
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_norm_max)
            optimiser.step()
        total += float(loss.detach())
        count += 1
        on_chunk()
    return total / max(count, 1)


def chunks_per_epoch(split: Split, settings: LstmSettings) -> int:
    """How often on_chunk is called in an epoch, for a progress bar."""
    lengths = (len(part.bars.mid) // settings.batch for part in (split.fit, split.selection))
    return sum(math.ceil(n / settings.chunk) for n in lengths)


def train_lstm(
    split: Split,
    settings: LstmSettings,
    *,
    checkpoint: Path | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    on_chunk: Callable[[], None] = lambda: None,
) -> Trained:
    """Train until selection does not get better; the same seed and data give the same network.

    Args:
        split: fit and selection are used.
        settings: see LstmSettings.
        checkpoint: where to leave the state after each epoch, and to go on from if it is there.
        on_epoch: told of each epoch.
        on_chunk: told of each chunk, `chunks_per_epoch` of them.

    Raises:
        TrainingError: The price never moves, a loss that is not finite, or a checkpoint of other settings.
    """
    torch.manual_seed(settings.seed)
    shape = Shape(N, settings.hidden, settings.dense, len(split.fit.horizons))
    network = Network(shape, settings.dropout)
    network.normalise_by(split.fit.bars.x, unseen_cycles(split.fit.bars.end_ns))
    scales = scales_of(split.fit)
    run = _Run(network, settings, checkpoint)
    fit = _side_by_side(split.fit, scales, settings.batch)
    selection = _side_by_side(split.selection, scales, settings.batch)
    while not run.is_over:
        rate = run.learning_rate
        network.train()
        fit_loss = _epoch(network, fit, settings, run.optimiser, on_chunk)
        network.eval()
        with torch.no_grad():
            selection_loss = _epoch(network, selection, settings, None, on_chunk)
        epoch = Epoch(len(run.epochs) + 1, fit_loss, selection_loss, rate)
        if not math.isfinite(fit_loss + selection_loss):
            raise TrainingError(
                f"epoch {epoch.number}: loss is not finite; try a smaller learning rate"
            )
        run.close(epoch)
        on_epoch(epoch)
    network.load_state_dict(run.best)
    network.eval()
    return Trained(network, scales, run.epochs)


class _Run:
    """What a checkpoint holds: optimiser, schedule, the best network so far."""

    def __init__(self, network: Network, settings: LstmSettings, checkpoint: Path | None) -> None:
        self.optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
        self.epochs: list[Epoch] = []
        self.best = _copied(network.state_dict())
        self._network, self._settings, self._checkpoint = network, settings, checkpoint
        self._schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimiser, factor=0.5, patience=max(settings.patience // 2 - 1, 0)
        )
        if checkpoint is not None and checkpoint.is_file():
            self._resume(checkpoint)

    @property
    def learning_rate(self) -> float:
        """Of the epoch to come."""
        return float(self.optimiser.param_groups[0]["lr"])

    @property
    def is_over(self) -> bool:
        """Whether the last epoch has been trained, or selection has long not got better."""
        losses = [e.selection for e in self.epochs]
        since_best = len(losses) - 1 - int(np.argmin(losses)) if losses else 0
        return len(losses) >= self._settings.epochs_max or since_best >= self._settings.patience

    def close(self, epoch: Epoch) -> None:
        """Note an epoch, keep the network if it is the best, leave a checkpoint."""
        if all(epoch.selection < e.selection for e in self.epochs):
            self.best = _copied(self._network.state_dict())
        self.epochs.append(epoch)
        self._schedule.step(epoch.selection)
        if self._checkpoint is not None:
            self._save(self._checkpoint)

    def _save(self, path: Path) -> None:
        state = {
            "settings": msgspec.json.encode(self._settings).decode(),
            "network": self._network.state_dict(),
            "best": self.best,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "epochs": [msgspec.structs.astuple(e) for e in self.epochs],
            "random": torch.get_rng_state(),
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def _resume(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        found = msgspec.json.decode(state["settings"], type=LstmSettings)
        wanted = self._settings
        if msgspec.structs.replace(found, epochs_max=wanted.epochs_max) != wanted:
            raise TrainingError(
                f"checkpoint {path} is of other settings ({state['settings']}): give the same, or remove it"
            )
        self._network.load_state_dict(state["network"])
        self.best = state["best"]
        self.optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.epochs = [Epoch(*e) for e in state["epochs"]]
        torch.set_rng_state(state["random"])


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def forecast(network: Network, scales: Scales, data: PriceData, chunk: int = 250) -> F8:
    """The network's outputs along a stretch, in one pass with carried state.

    Returns:
        Shape (n, h, 3): change in ticks, volatility in ticks, probability of a rise; NaN while warming up.
    """
    x = torch.from_numpy(data.bars.x)[None]
    bars = torch.from_numpy(data.bars.bars)
    starts = [0, *(i for i in range(1, len(bars)) if int(bars[i]) == 1), len(bars)]
    parts = []
    with torch.no_grad():
        for begin, end in pairwise(starts):
            state = network.begin(1)
            for at in range(begin, end, chunk):
                out, state = network(x[:, at : min(at + chunk, end)], state)
                parts.append(out[0].double().numpy())
    out = np.concatenate(parts)
    out[..., CHANGE] *= scales.change
    out[..., LOG_VOLATILITY] = np.maximum(np.exp(out[..., LOG_VOLATILITY]) - VOLATILITY_FLOOR, 0.0)
    out[..., LOG_VOLATILITY] *= scales.volatility
    out[..., DIRECTION] = 1.0 / (1.0 + np.exp(-out[..., DIRECTION]))
    out[data.bars.bars <= WARM_BARS] = np.nan
    forecasts: F8 = out
    return forecasts
