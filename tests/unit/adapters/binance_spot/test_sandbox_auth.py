"""Signatures and request times, against the venue's documented example and its rules."""

import base64

import pytest

from adapters.binance_spot.sandbox_auth import (
    Authority,
    Credential,
    check_time,
    signed_params,
    signed_query,
)
from adapters.binance_spot.sandbox_errors import ApiError

_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
_QUERY = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
    "&recvWindow=5000&timestamp=1499827319559"
)
_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
_NOW_NS = 1_700_000_000_000 * 1_000_000


def test_the_documented_example_verifies() -> None:
    """Query string, body, or a mix of both: signed as sent."""
    authority = Authority([Credential("k", _SECRET)])
    credential = authority.credential("k")
    payload, signature = signed_query(f"{_QUERY}&signature={_SIGNATURE}", "")
    authority.verify(credential, payload, signature)
    payload, signature = signed_query("", f"{_QUERY}&signature={_SIGNATURE}")
    authority.verify(credential, payload, signature)
    # Source: rest-api.md, "Example 3: Mixed query string and request body".
    payload, signature = signed_query(
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
        "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
        "&signature=0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
    )
    authority.verify(credential, payload, signature)


def test_anything_changed_fails() -> None:
    """A different order of parameters is a different payload."""
    authority = Authority([Credential("k", _SECRET)])
    with pytest.raises(ApiError) as caught:
        authority.verify(authority.credential("k"), _QUERY[::-1], _SIGNATURE)
    assert (caught.value.code, caught.value.msg) == (
        -1022,
        "Signature for this request is not valid.",
    )


@pytest.mark.parametrize(("key", "code"), [("", -2014), ("nobody", -2015)])
def test_keys_must_be_known(key: str, code: int) -> None:
    """Missing and unknown keys have codes of their own."""
    with pytest.raises(ApiError) as caught:
        Authority([Credential()]).credential(key)
    assert caught.value.code == code


def test_websocket_parameters_are_signed_sorted() -> None:
    """By name, without the signature itself."""
    assert signed_params({"b": "2", "signature": "x", "a": "1"}) == "a=1&b=2"


@pytest.mark.parametrize(
    ("offset_ms", "window", "code"),
    [
        (0, None, None),
        (-5000, None, None),
        (-5001, None, -1021),
        (999, None, None),
        (1000, None, -1021),
        (-59_000, "60000", None),
        (-3, "2.5", -1021),
        (0, "60001", -1131),
        (0, "soon", -1102),
    ],
)
def test_request_times(offset_ms: int, window: str | None, code: int | None) -> None:
    """Up to recvWindow late, less than a second early, in milliseconds or microseconds."""
    sent_ms = _NOW_NS // 1_000_000 + offset_ms
    for text in (str(sent_ms), str(sent_ms * 1000)):
        if code is None:
            check_time(text, window, _NOW_NS)
            continue
        with pytest.raises(ApiError) as caught:
            check_time(text, window, _NOW_NS)
        assert caught.value.code == code


def test_a_request_without_a_time_is_refused() -> None:
    """timestamp is mandatory."""
    with pytest.raises(ApiError) as caught:
        check_time(None, None, _NOW_NS)
    assert caught.value.code == -1102


def test_ed25519_keys_verify_with_the_public_half() -> None:
    """The server knows only the public key."""
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    authority = Authority([Credential("k", pem.decode())])
    signature = base64.b64encode(private.sign(b"a=1")).decode()
    authority.verify(authority.credential("k"), "a=1", signature)
    for payload, text in (("a=2", signature), ("a=1", "no base64!"), ("a=1", "AAAA")):
        with pytest.raises(ApiError) as caught:
            authority.verify(authority.credential("k"), payload, text)
        assert caught.value.code == -1022
