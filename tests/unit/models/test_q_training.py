"""The inventory policy learns: what there is to gain it finds, and where there is nothing it stays NORMAL."""

import msgspec
import numpy as np
import pytest

from mmd.core.learned.q_policy import ACTIONS, NORMAL, SHAPE, STATES, new_policy
from mmd.errors import TrainingError
from mmd.exchange.presets import DEFAULT
from models.artefact import read_artefact
from models.checks import check_golden
from models.q_artefact import write_q
from models.q_episode import ALWAYS_NORMAL, GREEDY, LEARN
from models.q_evaluation import evaluate_q, held_out_seed
from models.q_market import QMarket
from models.q_training import Arena, QSettings, train_q, training_seed, unfolded

MARKET = QMarket.of_preset(DEFAULT)
SMALL = QSettings(episodes=3, bars=300)


def test_the_same_seed_gives_the_same_table() -> None:
    """Bit for bit, and another seed gives another."""
    first, again = train_q(MARKET, SMALL), train_q(MARKET, SMALL)
    assert all(np.array_equal(first.weights[n], again.weights[n]) for n in first.weights)
    other = train_q(MARKET, msgspec.structs.replace(SMALL, seed=2))
    assert not np.array_equal(first.weights["q"], other.weights["q"])


def test_both_policies_meet_the_same_market() -> None:
    """A table that says NORMAL everywhere earns to the cent what always NORMAL does."""
    arena = Arena(MARKET, SMALL)
    for seed in (1, 3):
        assert arena.play(GREEDY, seed) == arena.play(ALWAYS_NORMAL, seed)
    assert arena.play(GREEDY, 1) != arena.play(GREEDY, 3)


def test_an_exploring_episode_takes_every_action() -> None:
    """And visits as many state-actions as there were decisions."""
    arena = Arena(MARKET, SMALL)
    result = arena.play(LEARN, 2, epsilon=1.0)
    assert min(result.taken) > 0.1 * result.decisions
    assert arena.visits.sum() == result.decisions


def test_no_fees_to_earn_means_no_quotes_are_learned() -> None:
    """Where each fill costs five ticks of fee, not quoting is found to be better, and held-out paths say so too."""
    settings = QSettings(episodes=60, bars=2_000, maker_fee_bps=5.0, visits_min=30)
    trained = train_q(MARKET, settings)
    found = evaluate_q(MARKET, settings, trained.weights, pairs=12)
    assert found.reward.low > 0.0
    assert found.reward.verdict == "better than always normal"
    assert sum(r.fills for r in found.learned) < 0.9 * sum(r.fills for r in found.normal)


def test_seeds_of_evaluation_are_never_trained_on() -> None:
    """Even ones there, odd ones here."""
    assert {training_seed(s, e) % 2 for s in range(3) for e in range(3)} == {0}
    assert {held_out_seed(s, e) % 2 for s in range(3) for e in range(3)} == {1}


def test_a_folded_table_is_the_same_from_both_sides() -> None:
    """Short with falling prices and asks ahead is long with rising prices and bids ahead."""
    values = np.random.default_rng(1).normal(size=(STATES, ACTIONS))
    table = unfolded(values).reshape(*SHAPE, ACTIONS)
    mirrored = np.flip(table, axis=(0, 1, 5))
    flat, level = SHAPE[0] // 2, SHAPE[5] // 2
    assert np.array_equal(table[:flat], mirrored[:flat])
    assert np.array_equal(table[flat, ..., :level, :], mirrored[flat, ..., :level, :])
    assert np.array_equal(table[flat + 1 :], values.reshape(*SHAPE, ACTIONS)[flat + 1 :])


def test_its_artefact_is_whole_and_computes_the_same(tmp_path) -> None:
    """Written, read, checked by its golden inputs, and served."""
    trained = train_q(MARKET, SMALL)
    found = evaluate_q(MARKET, SMALL, trained.weights, pairs=8)
    path = write_q(tmp_path, trained, found, MARKET, SMALL, preset="default", command="mmd train q")
    artefact = read_artefact(path)
    check_golden(artefact)
    assert artefact.manifest.kind == "q_table"
    assert {"reward_ticks_gain", "reward_ticks_gain_low", "pairs"} <= set(artefact.manifest.metrics)
    policy = new_policy(artefact.weights)
    assert (policy["action"] == NORMAL).all()  # so little was learned that nothing is sure


@pytest.mark.parametrize("change", [{"episodes": 0}, {"alpha": 0.0}, {"discount_bar": 1.0}])
def test_impossible_settings_are_refused(change: dict[str, float]) -> None:
    """The message names the setting, what was found and what was expected."""
    with pytest.raises(TrainingError, match=next(iter(change))):
        train_q(MARKET, msgspec.structs.replace(SMALL, **change))
