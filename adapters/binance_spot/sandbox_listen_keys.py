"""Listen keys: the user data stream as it was until February 2026, for clients that still know no other.

Source: Binance spot API, user-data-stream.md as of 2025; removed by the change log of 2026-02-20.
"""

from collections.abc import Callable

from adapters.binance_spot.sandbox_auth import Credential
from adapters.binance_spot.sandbox_errors import ApiError

_LIFE_NS = 3600 * 1_000_000_000
_LENGTH = 64


class ListenKeys:
    """One key per account, valid for an hour after it was last asked for or kept alive."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._accounts: dict[str, str] = {}
        self._until_ns: dict[str, int] = {}
        self._made = 0

    def start(self, credential: Credential) -> str:
        """The account's key; the same one while it is valid."""
        key = self.key_of(credential.account)
        if key is None:
            self._made += 1
            key = f"{credential.account}{self._made:d}".encode().hex().ljust(_LENGTH, "0")
            self._accounts[key] = credential.account
        self._until_ns[key] = self._now_ns() + _LIFE_NS
        return key

    def keep(self, credential: Credential, key: str) -> None:
        """Let a key live for another hour. Raises: ApiError -1125."""
        self._check(credential, key)
        self._until_ns[key] = self._now_ns() + _LIFE_NS

    def close(self, credential: Credential, key: str) -> None:
        """Forget a key. Raises: ApiError -1125."""
        self._check(credential, key)
        del self._accounts[key]
        del self._until_ns[key]

    def key_of(self, account: str) -> str | None:
        """An account's valid key."""
        now_ns = self._now_ns()
        return next(
            (k for k, a in self._accounts.items() if a == account and now_ns < self._until_ns[k]),
            None,
        )

    def is_valid(self, key: str) -> bool:
        """Whether a stream of this name is a listen key's."""
        return self._now_ns() < self._until_ns.get(key, 0)

    def _check(self, credential: Credential, key: str) -> None:
        if self._accounts.get(key) != credential.account or not self.is_valid(key):
            raise ApiError(-1125, "This listenKey does not exist.")
