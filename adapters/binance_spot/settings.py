"""Settings of a Binance spot venue: addresses, keys, instruments, time limits."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from yarl import URL

from adapters.binance_spot.stream_session import STREAMS_MAX, STREAMS_PER_INSTRUMENT

_MS_PER_S = 1_000
_REAL_MONEY = (".binance.com", ".binance.us")
_PLAY_MONEY = ("demo-", "testnet.")

HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]
StreamUrl = Annotated[str, StringConstraints(pattern=r"^wss?://[^/\s]+$")]
ApiUrl = Annotated[str, StringConstraints(pattern=r"^wss?://[^/\s]+(/\S*)?$")]
Symbol = Annotated[str, StringConstraints(pattern=r"^\S+$", to_upper=True)]


class BinanceSpotSettings(BaseModel):
    """One account at Binance spot, or at anything that speaks its protocol.

    Validation takes the environment as context: in any but `live`, orders must not reach the real venue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    rest_url: HttpUrl = "https://api.binance.com"
    """Scheme, host and port of the REST side."""
    stream_url: StreamUrl = "wss://stream.binance.com:9443"
    """Scheme, host and port of the market-data streams."""
    api_url: ApiUrl = "wss://ws-api.binance.com:443/ws-api/v3"
    """Whole address of the WebSocket API."""
    api_key: SecretStr = SecretStr("")
    api_secret: SecretStr = SecretStr("")
    """HMAC secret of the key; or else one of the next two."""
    api_private_key: SecretStr = SecretStr("")
    """Private key (PEM, PKCS#8, unencrypted) whose public half was uploaded: Ed25519, or RSA."""
    api_private_key_file: Path | None = None
    """File that holds it; nobody else may be able to read it, except below /run/secrets."""
    instruments: tuple[Symbol, ...] = Field(default=(), max_length=256)
    """Symbols, e.g. BTCUSDT; empty takes all that the venue lists, where those are few."""
    observe: bool = False
    """Market data only: no keys, no orders."""
    recv_window_ms: int = Field(default=2_000, ge=1, le=2_000)
    """How long the venue may take until it has a request; later it must refuse it."""
    request_timeout_s: float = Field(default=2.0, gt=0.0, le=60.0)
    """When a request without an answer counts as lost, and its order as unknown."""
    stall_s: float = Field(default=1.0, ge=0.2, le=60.0)
    """A process that stood still for so long sends nothing that it decided on before, and asks again for its orders
    and fills over a new connection."""
    connect_timeout_s: float = Field(default=5.0, gt=0.0, le=60.0)
    silence_timeout_s: float = Field(default=30.0, gt=0.0, le=300.0)
    """A connection on which nothing arrives (not even a pong) for this long is replaced."""
    snapshot_levels: int = Field(default=5_000, ge=100, le=5_000)
    """Levels a side in a book snapshot; 5,000 cost 250 of the 6,000 weight a minute."""
    clock_check_s: float = Field(default=60.0, gt=0.0, le=3_600.0)
    """How often the venue's clock is compared with ours."""
    rules_check_s: float = Field(default=60.0, gt=0.0, le=3_600.0)
    """How often status and filters of the instruments are read again; 20 weight each time."""
    connection_lifetime_s: float = Field(default=82_800.0, gt=0.0, le=86_400.0)
    """Connections are replaced at this age; the venue cuts them after 24 hours."""
    streams_per_connection: int = Field(
        default=STREAMS_MAX, ge=STREAMS_PER_INSTRUMENT, le=STREAMS_MAX
    )
    """Four streams an instrument; more instruments get more connections."""
    settles_at_start: bool = True
    """Whether the first reconciliation waits for recv_window_ms after the start: until then an order that a
    process before us sent in its last moment may still arrive. Not needed where the exchange is new; and where there is
    a journal that says when the last order was sent, the wait is as long as that takes."""
    rest_fallback: Literal["off", "cancels", "all"] = "cancels"
    """What goes over REST while the WebSocket API is down. Without user data new orders fly blind, so by
    default only what takes risk away does: cancels, amends (which shrink), and queries."""

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        if len(set(self.instruments)) < len(self.instruments):
            raise ValueError("instruments: expected each symbol once")
        if not self.observe:
            self._check_keys()
        if self.request_timeout_s * _MS_PER_S < self.recv_window_ms:
            raise ValueError(
                f"request_timeout_s: expected at least recv_window_ms ({self.recv_window_ms} ms), so that a "
                f"request that is asked about cannot arrive any more; found {self.request_timeout_s} s"
            )
        environment = (info.context or {}).get("environment", "live")
        if environment != "live" and not self.observe:
            self._refuse_real_money(environment)
        return self

    def _check_keys(self) -> None:
        given = [
            name
            for name in ("api_secret", "api_private_key")
            if getattr(self, name).get_secret_value()
        ]
        if self.api_private_key_file is not None:
            given.append("api_private_key_file")
        if not (self.api_key.get_secret_value() and given):
            raise ValueError(
                "api_key and api_secret (or api_private_key_file): expected both, or observe = true"
            )
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: expected one of them, found {len(given)}")

    def _refuse_real_money(self, environment: str) -> None:
        """The defaults are the real venue's, and a sandbox run that forgot to set an address must not trade there."""
        for key in ("rest_url", "stream_url", "api_url"):
            host = URL(getattr(self, key)).host or ""
            if host.endswith(_REAL_MONEY) and not host.startswith(_PLAY_MONEY):
                raise ValueError(
                    f"{key}: {host} takes real orders, which environment = {environment} must not send; set "
                    "rest_url, stream_url and api_url as in deploy/config/binance-testnet.toml, or environment = live"
                )
