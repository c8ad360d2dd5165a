"""A State with everything in it, made from its types alone: no list is empty and nothing is missing.

What is made of it (metrics, documentation, checks of dashboards) holds for every field that is added later.
"""

from typing import Any

import msgspec
from msgspec import inspect

from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.risk.levels import RiskLevel
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.ops.histogram_state import EDGES_S
from mmd.ops.state import State

_TEXT = "1"
"""Also a number, since some texts of the State are."""
_NAMES: dict[str, Any] = {
    "venue": "venue",
    "symbol": "MMDUSDT",
    "risk_level": RiskLevel.NORMAL.name,
    "side": Side.BUY.name,
    "state": "WORKING",
    "cumulative": [1] * (len(EDGES_S) + 1),
    "markout_bps": {f"{ns / NANOS_PER_SECOND:g}s": 1.0 for ns in HORIZONS_NS},
    "routed": {"venue:MMDUSDT": 1},
    "volume_base": {side.name: 1.0 for side in Side},
    "volume_quote": {side.name: 1.0 for side in Side},
    "judged": {"fill": 1},
    "judged_adverse": {"fill": 1},
}
"""Values of fields whose type does not say what they hold."""


def example_state() -> State:
    """The State."""
    return msgspec.convert(_value(inspect.type_info(State)), State)


def _value(kind: inspect.Type) -> Any:
    """Some value of a type, in the form that msgspec decodes from."""
    match kind:
        case inspect.StructType(fields=fields):
            return {f.encode_name: _NAMES.get(f.name, _value(f.type)) for f in fields}
        case inspect.UnionType(types=types):
            return _value(next(t for t in types if not isinstance(t, inspect.NoneType)))
        case inspect.ListType(item_type=item):
            return [_value(item)]
        case inspect.TupleType(item_types=items):
            return [_value(item) for item in items]
        case inspect.DictType(key_type=key, value_type=value):
            return {_value(key): _value(value)}
        case inspect.StrType():
            return _TEXT
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 1
        case inspect.FloatType():
            return 1.0
        case _:
            raise AssertionError(f"expected a type that a State holds, found {kind}")
