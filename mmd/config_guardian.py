"""The settings of the guardian, which takes orders back when the daemon dies or hangs."""

from pydantic import Field, SecretStr, model_validator

from mmd.config_section import Section


class GuardianSection(Section):
    """A second process with a lease that the engine's loop renews; see docs/reliability.md."""

    enabled: bool = Field(True, description="start one with mmd run, or use the one at `address`")
    lease_s: float = Field(
        3.0,
        ge=0.5,
        le=60.0,
        description="orders are taken back when the engine has not renewed for so long; at least recv_window_ms",
    )
    address: str = Field(
        "", description="host:port of a guardian on another host; empty: a child of mmd run"
    )
    listen: str = Field("", description="host:port where `mmd guardian` listens")
    token: SecretStr = Field(
        SecretStr(""), description="shared by daemon and guardian over host:port"
    )
    required: bool = Field(
        False, description="halt when the guardian has not answered for the length of a lease"
    )
    weight_per_minute: int = Field(
        600,
        ge=60,
        le=100_000,
        description="request weight that it may use: its share of the venue's limit, of which the engine leaves as much",
    )
    metrics_port: int = Field(
        0, ge=0, le=65_535, description="`mmd guardian` serves /metrics here; 0: not"
    )
    metrics_host: str = Field(
        "127.0.0.1",
        description="on this address; 0.0.0.0: on all of the machine's or the container's",
    )
    venues: dict[str, dict[str, SecretStr]] = Field(
        default={},
        description="settings of a venue that are other ones for the guardian: a key of its own",
    )

    @model_validator(mode="after")
    def _has_token(self) -> "GuardianSection":
        if (self.address or self.listen) and not self.token.get_secret_value():
            raise ValueError(
                "address and listen need a token: set MMD_GUARDIAN__TOKEN to the same long random text on both hosts"
            )
        return self
