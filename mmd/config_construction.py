"""The settings of quote construction: what is built round the spread model's prices, and how orders follow them."""

from pydantic import Field

from mmd.config_section import Section
from mmd.core.quoting.construction import ConstructionSpec


class ConstructionSection(Section):
    """How quotes are built round the model's prices, and how orders follow them."""

    own_orders_removed: bool = Field(
        True,
        description="take our own orders out of the venue's book before features are made of it",
    )
    refresh_levels: bool = Field(
        True,
        description="after a fill take back its level and those before it until quoting.refresh_delay_ms is over; "
        "false: only place nothing new on the side",
    )

    def spec(self) -> ConstructionSpec:
        """The engine's form."""
        return ConstructionSpec(**self.model_dump(exclude={"own_orders_removed"}))
