"""The network in torch and its compiled step compute one thing, however the sequence is cut."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]'")

from mmd.core.learned import lstm  # noqa: E402
from mmd.core.learned.lstm import NOT_FINITE, OK, WEIGHTS, Shape  # noqa: E402
from mmd.jit.kernel import bind  # noqa: E402
from models.network import Network, State  # noqa: E402

SHAPE = Shape(inputs=7, hidden=16, dense=8, horizons=2)
STEPS = 3_000


def network(seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return Network(SHAPE).eval()


def inputs(n: int = STEPS) -> np.ndarray:
    return np.random.default_rng(3).standard_t(3, (n, SHAPE.inputs)).astype(np.float32)


def chunked(net: Network, x: np.ndarray, chunk: int) -> np.ndarray:
    """The training forward, chunk by chunk with carried state."""
    state, parts = net.begin(1), []
    with torch.no_grad():
        for at in range(0, len(x), chunk):
            out, state = net(torch.from_numpy(x[None, at : at + chunk]), state)
            parts.append(out[0].numpy())
    return np.concatenate(parts).reshape(len(x), -1)


def streamed(net: Network, x: np.ndarray) -> np.ndarray:
    """The compiled step, sample by sample."""
    record = lstm.new_network(net.weights())
    step = bind(lstm.step, record, x[0])
    out = []
    for row in x:
        assert step(record, row) == OK
        out.append(record["out"][0].copy())
    return np.array(out)


def test_the_stream_equals_the_chunked_training_forward() -> None:
    """To 1e-5 over 3,000 steps, with chunks of a length that the window does not divide."""
    net, x = network(), inputs()
    net.normalise_by(x)
    wanted = chunked(net, x, 128)
    assert np.abs(streamed(net, x) - wanted).max() < 1e-5
    assert np.abs(chunked(net, x, 37) - wanted).max() < 1e-5
    assert np.abs(wanted[1:] - wanted[:-1]).max() > 1e-3  # it does depend on what it is given


def test_cleared_is_as_new() -> None:
    """After `clear` the same inputs give the same outputs as at the start."""
    net, x = network(), inputs(150)
    record = lstm.new_network(net.weights())
    step = bind(lstm.step, record, x[0])
    first = [step(record, row) or record["out"][0].copy() for row in x]
    lstm.clear(record)
    again = [step(record, row) or record["out"][0].copy() for row in x]
    assert np.array_equal(first, again)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    """An input that is no number is told, and no prediction made of it."""
    record, x = lstm.new_network(network().weights()), inputs(1)[0]
    x[3] = value
    assert lstm.step(record, x) == NOT_FINITE


@pytest.mark.parametrize("output", range(6))
def test_a_network_that_overflows_is_told(output: int) -> None:
    """A weight that is no number shows in the status of the first step, whichever output it reaches."""
    weights = network().weights()
    weights["bo"][output] = np.nan
    record = lstm.new_network(weights)
    assert lstm.step(record, inputs(1)[0]) == NOT_FINITE


def test_weights_of_another_shape_are_refused() -> None:
    """The message names the weight."""
    weights = network().weights()
    assert tuple(weights) == WEIGHTS
    assert lstm.shape_of(weights) == SHAPE
    weights["u2"] = weights["u2"][:, :-1]
    with pytest.raises(ValueError, match="weight u2 has shape"):
        lstm.shape_of(weights)


def test_attention_looks_at_the_window_and_no_further() -> None:
    """What was output before the window has no influence on the context."""
    net = network()
    far = State(*(t.clone() for t in net.begin(1)))
    past = torch.randn(1, lstm.WINDOW - 1, SHAPE.hidden)
    full = far._replace(past=past, seen=torch.tensor([lstm.WINDOW]))
    x = torch.from_numpy(inputs(lstm.WINDOW + 1)[None])
    with torch.no_grad():
        a, _ = net(x, full)
        b, _ = net(x, full._replace(past=torch.randn_like(past)))
    assert not torch.allclose(a[0, 0], b[0, 0], atol=1e-6)
    assert torch.allclose(a[0, -2:], b[0, -2:], atol=1e-6)
