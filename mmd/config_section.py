"""What every group of settings is: frozen, without unknown keys, and of finite numbers."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


NS_PER_MS = 1_000_000


def seconds_of_day(clock: str) -> int:
    """HH:MM in seconds after midnight."""
    hours, minutes = clock.split(":")
    return int(hours) * 3_600 + int(minutes) * 60
