"""Signatures: the documents' own vectors, and ccxt as an independent signer."""

import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.binance_spot.auth import HmacSigner, rest_query, signed_rest_query
from tests.api_payload import api_payload

FULL_WIDTH = "".join(chr(0xFF10 + digit) for digit in range(1, 7))
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


def test_documented_rest_vector():
    """The LTCBTC example of rest-api.md."""
    query = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
        "&recvWindow=5000&timestamp=1499827319559"
    )
    assert HmacSigner(SECRET).sign(query.encode()) == (
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )
    params = [tuple(pair.split("=")) for pair in query.split("&")]
    assert signed_rest_query(params, HmacSigner(SECRET)) == (
        f"{query}&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )


@pytest.mark.parametrize(
    ("params", "signature"),
    [
        (
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "0.01000000",
                "price": "52000.00",
                "recvWindow": 100,
                "timestamp": 1645423376532,
                "apiKey": KEY,
            },
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            {
                "symbol": FULL_WIDTH,
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "1.00000000",
                "price": "0.10000000",
                "recvWindow": 5000,
                "timestamp": 1645423376532,
                "apiKey": KEY,
            },
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
        ),
    ],
    ids=["ascii", "utf-8"],
)
def test_documented_websocket_api_vectors(params, signature):
    """The two examples of web-socket-api.md: sorted, raw, UTF-8."""
    assert HmacSigner(SECRET).sign(api_payload(params).encode()) == signature


@given(secret=st.text(min_size=1, max_size=200), payload=st.binary(max_size=2_000))
@example("longer than a block of the hash " * 3, b"payload")
def test_signer_equals_the_standard_library(secret: str, payload: bytes):
    """Secrets shorter and longer than a block, any payload."""
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    assert HmacSigner(secret).sign(payload) == expected


@pytest.fixture(scope="module")
def oracle() -> ccxt.binance:
    """ccxt's Binance with a fixed clock."""
    exchange = ccxt.binance({"apiKey": KEY, "secret": SECRET})
    exchange.milliseconds = lambda: 1_700_000_000_123
    return exchange


@given(
    symbol=st.sampled_from(["BTCUSDT", "MMDUSDT", FULL_WIDTH + "USDT"]),
    order_id=st.text("abc-_:/. %&=+0é", min_size=1, max_size=36),
    price=st.decimals("0.01", "100000", places=2),
)
def test_rest_signature_equals_ccxt(oracle, symbol, order_id, price):
    """The signature over our encoding is the one that ccxt sends for the same parameters."""
    params = {"symbol": symbol, "newClientOrderId": order_id, "price": str(price)}
    signed = oracle.sign("account", ["private"], "GET", dict(params))
    sent, _, their_signature = urlsplit(signed["url"]).query.rpartition("&signature=")
    ours = signed_rest_query(parse_qsl(sent, keep_blank_values=True), HmacSigner(SECRET))
    assert ours == f"{sent}&signature={their_signature}"


def test_rest_query_is_encoded_before_it_is_signed():
    """Reserved characters and non-ASCII text are percent-encoded, in the given order."""
    assert rest_query([("b", '["X"]'), ("a", "é &=/")]) == "b=%5B%22X%22%5D&a=%C3%A9%20%26%3D%2F"
