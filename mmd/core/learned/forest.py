"""Gradient-boosted trees as packed nodes, walked four at a time: LightGBM's own sums, bit for bit, in microseconds.

Capacity is fixed, so that a new forest is data and never compiles anything.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mmd.core.learned.schema import N
from mmd.jit.kernel import Rec, kernel, layout, new

OK, NOT_FINITE = 0, 1
NODES_MAX: Final = 32_768
TREES_MAX: Final = 1_024
_ABREAST: Final = 4
_NODE = np.dtype([("threshold", "f8"), ("feature", "i4"), ("left", "i4")], align=True)
"""Right is left + 1; a leaf has feature -1 and its value for a threshold."""

FOREST = layout(
    ("inputs", "i8"),  # how many there are in x
    ("trees", "i8"),
    ("status", "i8"),  # of the run that it is part of, see mmd.core.learned.model_run
    ("out", "f8"),  # of the last prediction
    ("x", "f8", (N,)),
    ("root", "i4", (TREES_MAX + _ABREAST,)),
    ("node", _NODE, (NODES_MAX,)),
)


@kernel
def predict(forest: Rec) -> int:
    """Write out = the sum of the leaves that x falls into, added in the order of the trees.

    Returns:
        OK, or NOT_FINITE where an input is not a number: then out is as it was.
    """
    t = forest[0]
    for f in range(t.inputs):
        if not math.isfinite(t.x[f]):
            return NOT_FINITE
    node, root, x = t.node, t.root, t.x
    total = 0.0
    for r in range(0, t.trees, _ABREAST):
        i, j = np.int64(root[r]), np.int64(root[r + 1])
        k, m = np.int64(root[r + 2]), np.int64(root[r + 3])
        while True:
            a, b, c, d = node[i], node[j], node[k], node[m]
            if (a.feature & b.feature & c.feature & d.feature) < 0:
                break
            if a.feature >= 0:
                i = np.int64(a.left) + np.int64(x[a.feature] > a.threshold)
            if b.feature >= 0:
                j = np.int64(b.left) + np.int64(x[b.feature] > b.threshold)
            if c.feature >= 0:
                k = np.int64(c.left) + np.int64(x[c.feature] > c.threshold)
            if d.feature >= 0:
                m = np.int64(d.left) + np.int64(x[d.feature] > d.threshold)
        total += node[i].threshold
        total += node[j].threshold
        total += node[k].threshold
        total += node[m].threshold
    t.out = total
    return OK


def packed(dump: Mapping[str, Any]) -> dict[str, Any]:
    """LightGBM's `Booster.dump_model()` as arrays that go into an artefact.

    Returns:
        node: shape (n,), threshold, feature and left child of each; root: shape (trees,), i4.

    Raises:
        ValueError: Categorical splits, missing values, or more trees than there is room for.
    """
    nodes: list[tuple[float, int, int]] = []
    roots = []
    for tree in dump["tree_info"]:
        queue = [tree["tree_structure"]]
        begin = len(nodes)
        roots.append(begin)
        for item in queue:
            if "split_feature" in item:
                _check_split(item)
                nodes.append((item["threshold"], item["split_feature"], begin + len(queue)))
                queue += item["left_child"], item["right_child"]
            else:
                nodes.append((item["leaf_value"], -1, 0))
    if len(nodes) >= NODES_MAX or len(roots) > TREES_MAX:
        raise ValueError(
            f"{len(roots)} trees of {len(nodes)} nodes: expected at most {TREES_MAX} and {NODES_MAX - 1}; "
            "train fewer or smaller ones"
        )
    return {"node": np.array(nodes, _NODE), "root": np.array(roots, np.int32)}


def _check_split(item: Mapping[str, Any]) -> None:
    if item["decision_type"] != "<=" or item["missing_type"] != "None":
        raise ValueError(
            f"split on feature {item['split_feature']} is {item['decision_type']!r} with missing "
            f"{item['missing_type']}: expected numbers only, compared by <="
        )


def new_forest(arrays: Mapping[str, Any], inputs: int = N) -> Rec:
    """A forest's record from what `packed` made; trees are padded to four with one that adds nothing."""
    forest = new(FOREST)
    nodes, roots = arrays["node"], arrays["root"]
    forest["node"][0, : len(nodes)] = nodes
    forest["node"][0, len(nodes)] = (0.0, -1, 0)
    forest["root"][0, : len(roots)] = roots
    forest["root"][0, len(roots) : len(roots) + _ABREAST] = len(nodes)
    forest["trees"], forest["inputs"] = len(roots), inputs
    return forest
