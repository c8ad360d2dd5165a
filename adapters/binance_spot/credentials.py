"""The signer that the settings ask for, with key files read and their permissions checked."""

import stat
from pathlib import Path

from adapters.binance_spot.auth import HmacSigner, Signer
from adapters.binance_spot.private_key import private_key_signer
from adapters.binance_spot.settings import BinanceSpotSettings
from mmd.errors import ConfigError

_SECRETS_FOLDER = Path("/run/secrets")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def signer_of(settings: BinanceSpotSettings, venue: str) -> Signer | None:
    """How requests are signed; None where only market data is wanted.

    Raises:
        ConfigError: the key cannot be read, is readable by others, or is of no use.
    """
    if settings.observe:
        return None
    secret = settings.api_secret.get_secret_value()
    if secret:
        return HmacSigner(secret)
    if settings.api_private_key_file is not None:
        name = f"venues.{venue}.api_private_key_file"
        return private_key_signer(_read(settings.api_private_key_file, name), name)
    pem = settings.api_private_key.get_secret_value()
    return private_key_signer(pem.encode(), f"venues.{venue}.api_private_key")


def _read(path: Path, name: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS and not path.is_relative_to(_SECRETS_FOLDER):
            raise ConfigError(
                f"{name}: {path} can be read by others (mode {stat.S_IMODE(mode):o}): expected 600; "
                f"run chmod 600 {path}"
            )
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read ({error.strerror})") from error
