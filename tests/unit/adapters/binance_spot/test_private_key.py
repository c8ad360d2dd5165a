"""Signatures from private keys: RFC 8032's own vectors, the public half, ccxt as an independent signer."""

import base64
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.binance_spot.auth import HmacSigner, rest_query, signed_rest_query
from adapters.binance_spot.private_key import Ed25519Signer, RsaSigner, private_key_signer
from mmd.errors import ConfigError
from tests.api_payload import api_payload

ED25519 = Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65_537, 2_048)
FULL_WIDTH = "".join(chr(0xFF10 + digit) for digit in range(1, 7))


def pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@pytest.mark.parametrize(
    ("secret", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)
def test_ed25519_gives_the_published_signatures(secret, message, signature):
    """RFC 8032 §7.1, tests 1 to 3; the venue's documents publish no private key."""
    signer = private_key_signer(
        pem(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))), "key"
    )
    assert isinstance(signer, Ed25519Signer)
    assert signer.can_log_on
    assert base64.b64decode(signer.sign(bytes.fromhex(message))).hex() == signature


@given(payload=st.binary(max_size=500))
@settings(max_examples=20)
def test_rsa_is_pkcs1_v15_with_sha256(payload: bytes):
    """The public half accepts what the private half signed."""
    signer = private_key_signer(pem(RSA), "key")
    assert isinstance(signer, RsaSigner)
    assert not signer.can_log_on
    RSA.public_key().verify(
        base64.b64decode(signer.sign(payload)), payload, padding.PKCS1v15(), SHA256()
    )


@pytest.mark.parametrize(
    ("params", "payload"),
    [
        (
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "1",
            },
            "symbol=BTCUSDT",
        ),
        (
            {
                "symbol": FULL_WIDTH,
                "side": "SELL",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "1",
            },
            "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
        ),
    ],
    ids=["ascii", "utf-8"],
)
def test_documented_rest_payloads(params, payload):
    """What rest-api.md, "Ed25519 Keys" and "RSA Keys", step 1, has signed."""
    rest = {"price": "0.2", "timestamp": 1668481559918, "recvWindow": 5000}
    expected = (
        f"{payload}&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2"
        "&timestamp=1668481559918&recvWindow=5000"
    )
    assert rest_query((params | rest).items()) == expected


@pytest.mark.parametrize(
    ("params", "payload"),
    [
        (
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "quantity": "0.01000000",
                "price": "52000.00",
                "recvWindow": 100,
            },
            "price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT",
        ),
        (
            {
                "symbol": FULL_WIDTH,
                "side": "BUY",
                "quantity": "1.00000000",
                "price": "0.10000000",
                "recvWindow": 5000,
            },
            f"price=0.10000000&quantity=1.00000000&recvWindow=5000&side=BUY&symbol={FULL_WIDTH}",
        ),
    ],
    ids=["ascii", "utf-8"],
)
def test_documented_api_payloads(params, payload):
    """What web-socket-api.md, "SIGNED Request Example (Ed25519)", step 1, has signed."""
    key = "4yNzx3yWC5bS6YTwEkSRaC0nRmSQIIStAUOh1b6kqaBrTLIhjCpI5lJH8q8R8WNO"
    rest = {"type": "LIMIT", "timeInForce": "GTC", "timestamp": 1645423376532, "apiKey": key}
    expected = f"apiKey={key}&{payload}&timeInForce=GTC&timestamp=1645423376532&type=LIMIT"
    assert api_payload(params | rest) == expected


SIGNERS = {
    "hmac": (HmacSigner("secret"), "secret"),
    "ed25519": (Ed25519Signer(ED25519), pem(ED25519).decode()),
    "rsa": (RsaSigner(RSA), pem(RSA).decode()),
}
REQUESTS = [("GET", "account"), ("POST", "order"), ("DELETE", "order"), ("GET", "myTrades")]


@pytest.fixture(scope="module")
def oracle() -> ccxt.binance:
    """ccxt's Binance with a fixed clock."""
    exchange = ccxt.binance({"apiKey": "key"})
    exchange.milliseconds = lambda: 1_700_000_000_123
    return exchange


@pytest.mark.parametrize("kind", SIGNERS)
@given(
    request_=st.sampled_from(REQUESTS),
    params=st.dictionaries(
        st.sampled_from(["symbol", "newClientOrderId", "price", "quantity", "side"]),
        st.text("aZ09-_.~:/%&=+ é１,[]\"'", min_size=1, max_size=24),
        max_size=5,
    ),
    recv_window=st.integers(1, 60_000),
)
@settings(max_examples=40)
def test_rest_requests_equal_ccxts(oracle, kind, request_, params, recv_window):
    """Byte for byte the query that ccxt sends, for each kind of key, reserved and foreign characters included."""
    signer, secret = SIGNERS[kind]
    oracle.secret, oracle.options["recvWindow"] = secret, recv_window
    verb, path = request_
    signed = oracle.sign(path, ["private"], verb, dict(params))
    query = signed["body"] or urlsplit(signed["url"]).query
    sent, _, _ = query.rpartition("&signature=")
    ours = signed_rest_query(parse_qsl(sent, keep_blank_values=True), signer)
    assert ours == query


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", "something else"),
        (b"not a key", "something else"),
        (
            ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "something else",
        ),
        (pem(ED25519, BestAvailableEncryption(b"pw")), "one with a password"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "another kind of key"),
    ],
    ids=["empty", "text", "public", "encrypted", "elliptic"],
)
def test_wrong_keys_are_named_without_being_shown(text: bytes, found: str):
    """One line: the setting, what was expected, what was found; none of the key."""
    with pytest.raises(ConfigError, match=found) as caught:
        private_key_signer(text, "venues.x.api_private_key")
    message = str(caught.value)
    assert message.startswith("venues.x.api_private_key: expected an Ed25519 or RSA private key")
    assert "\n" not in message
