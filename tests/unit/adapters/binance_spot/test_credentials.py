"""Which signer the settings ask for, and keys on disk."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.credentials import signer_of
from adapters.binance_spot.private_key import Ed25519Signer
from adapters.binance_spot.settings import BinanceSpotSettings
from mmd.errors import ConfigError

PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def settings(**values: object) -> BinanceSpotSettings:
    return BinanceSpotSettings(**{"api_key": "k", **values})


def test_each_kind_of_secret_has_its_signer(tmp_path):
    """A secret, a key as text, a key in a file; none where only market data is wanted."""
    file = tmp_path / "key.pem"
    file.write_bytes(PEM)
    file.chmod(0o600)
    assert isinstance(signer_of(settings(api_secret="s"), "v"), HmacSigner)
    assert isinstance(signer_of(settings(api_private_key=PEM.decode()), "v"), Ed25519Signer)
    signer = signer_of(settings(api_private_key_file=file), "v")
    assert isinstance(signer, Ed25519Signer)
    assert signer.sign(b"x") == signer_of(settings(api_private_key=PEM.decode()), "v").sign(b"x")
    assert signer_of(settings(observe=True), "v") is None


def test_key_files_that_others_can_read_are_refused(tmp_path):
    """The message names the setting, the file and the remedy."""
    file = tmp_path / "key.pem"
    file.write_bytes(PEM)
    file.chmod(0o640)
    with pytest.raises(ConfigError, match=r"venues.v.api_private_key_file: .*mode 640.*chmod 600"):
        signer_of(settings(api_private_key_file=file), "v")


def test_missing_key_files_are_named(tmp_path):
    """Not a traceback."""
    with pytest.raises(ConfigError, match="cannot be read \\(No such file"):
        signer_of(settings(api_private_key_file=tmp_path / "none.pem"), "v")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "expected both"),
        ({"api_key": "", "api_private_key_file": "x"}, "expected both"),
        ({"api_secret": "s", "api_private_key": "p"}, "expected one of them, found 2"),
    ],
)
def test_exactly_one_secret_is_expected(values, text):
    """None, or more than one, is refused on reading the settings."""
    with pytest.raises(ValueError, match=text):
        settings(**values)
