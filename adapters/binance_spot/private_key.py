"""Ed25519 and RSA signatures from a private key in PEM form, as Binance checks them."""

import base64

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mmd.errors import ConfigError


class Ed25519Signer:
    """Signs with an Ed25519 key. One signature takes ~60 µs: log on once and send unsigned after that."""

    __slots__ = ("_key",)

    can_log_on = True

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Keep the key."""
        self._key = key

    def sign(self, payload: bytes) -> str:
        """Signature of a payload in base64. Source: rest-api.md, "Ed25519 Keys"."""
        return base64.b64encode(self._key.sign(payload)).decode()


class RsaSigner:
    """Signs with an RSA key, ~1 ms each; the venue lets no such key log on, so every request pays it."""

    __slots__ = ("_key",)

    can_log_on = False

    def __init__(self, key: RSAPrivateKey) -> None:
        """Keep the key."""
        self._key = key

    def sign(self, payload: bytes) -> str:
        """RSASSA-PKCS1-v1_5 with SHA-256, in base64. Source: rest-api.md, "RSA Keys"."""
        return base64.b64encode(self._key.sign(payload, PKCS1v15(), SHA256())).decode()


def private_key_signer(pem: bytes, name: str) -> Ed25519Signer | RsaSigner:
    """The signer for a key; `name` is the setting that holds it.

    Raises:
        ConfigError: no private key, one with a password, or one of another algorithm.
    """
    expected = f"{name}: expected an Ed25519 or RSA private key in PEM form (PKCS#8, no password)"
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ConfigError(f"{expected}, found one with a password: remove it first") from None
    except (ValueError, UnsupportedAlgorithm):  # the error's own text may quote the key
        raise ConfigError(f"{expected}, found something else") from None
    if isinstance(key, Ed25519PrivateKey):
        return Ed25519Signer(key)
    if isinstance(key, RSAPrivateKey):
        return RsaSigner(key)
    raise ConfigError(f"{expected}, found another kind of key")
