"""The packed forest says what LightGBM says, to the last bit, and refuses what it cannot say."""

from typing import Any

import numpy as np
import pytest

from mmd.core.learned.forest import NODES_MAX, NOT_FINITE, OK, new_forest, packed, predict
from mmd.core.learned.schema import N
from mmd.jit.kernel import bind


def booster(rounds: int, leaves: int = 31, **settings: Any) -> Any:
    """A real one, trained on numbers with a pattern."""
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3_000, N))
    y = np.sin(3 * x[:, 0]) + x[:, 1] * (x[:, 2] > 0) + 0.1 * rng.normal(size=3_000)
    parameters = {"num_leaves": leaves, "verbosity": -1, "num_threads": 1, "seed": 1} | settings
    return lightgbm.train(parameters, lightgbm.Dataset(x, y), rounds)


@pytest.mark.parametrize("rounds", [1, 3, 4, 7, 50])
def test_equal_to_lightgbm_bit_for_bit(rounds: int) -> None:
    """On inputs like those of training and far beyond them, for any number of trees."""
    model = booster(rounds)
    forest = new_forest(packed(model.dump_model()))
    run = bind(predict, forest)
    x = np.random.default_rng(4).standard_t(2, (500, N)) * 3
    for row, wanted in zip(x, model.predict(x), strict=True):
        forest["x"][0] = row
        assert run(forest) == OK
        assert forest["out"][0] == wanted


def test_an_input_on_the_threshold_goes_left() -> None:
    """As LightGBM compares: at most the threshold is left."""
    split = {
        "split_feature": 3, "threshold": 0.5, "decision_type": "<=", "missing_type": "None",
        "left_child": {"leaf_value": -1.0}, "right_child": {"leaf_value": 2.0},
    }  # fmt: skip
    forest = new_forest(packed({"tree_info": [{"tree_structure": split}]}))
    answers = []
    for value in (0.5, np.nextafter(0.5, 1.0)):
        forest["x"][0, 3] = value
        assert predict(forest) == OK
        answers.append(forest["out"][0])
    assert answers == [-1.0, 2.0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_told(value: float) -> None:
    """And the last prediction stays."""
    forest = new_forest(packed({"tree_info": [{"tree_structure": {"leaf_value": 1.5}}]}))
    assert predict(forest) == OK
    forest["x"][0, 7] = value
    assert predict(forest) == NOT_FINITE
    assert forest["out"][0] == 1.5


def test_categories_and_missing_values_are_refused() -> None:
    """The message says which split and what was expected."""
    leaf = {"leaf_value": 0.0}
    split = {
        "split_feature": 1, "threshold": "1||2", "decision_type": "==", "missing_type": "None",
        "left_child": leaf, "right_child": leaf,
    }  # fmt: skip
    with pytest.raises(ValueError, match="split on feature 1 is '=='"):
        packed({"tree_info": [{"tree_structure": split}]})
    split |= {"decision_type": "<=", "missing_type": "NaN"}
    with pytest.raises(ValueError, match="missing NaN"):
        packed({"tree_info": [{"tree_structure": split}]})


def test_a_forest_too_large_is_refused() -> None:
    """Instead of writing beyond its record."""
    one = {"tree_structure": {"leaf_value": 0.0}}
    with pytest.raises(ValueError, match=f"{NODES_MAX - 1}"):
        packed({"tree_info": [one] * NODES_MAX})
