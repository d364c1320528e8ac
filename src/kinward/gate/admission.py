"""Who may call the gate: valid keys, within the limits of keys, accounts and addresses."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from kinward.access.api import (
    ApiKey,
    KeyRefused,
    authenticate,
    authenticate_known,
    last_known,
    live_keys,
    was_live,
)
from kinward.entrance import Unavailable
from kinward.gate.http import Request
from kinward.gate.limits import (
    KEY_WINDOW,
    MINUTE,
    AccountLimit,
    AddressLimit,
    KeyLimit,
    Limit,
    headers_of,
)
from kinward.ground.config import Config

PAUSE: Final = 1.0  # seconds before an address over its limit gets its answer
MAX_PAUSED: Final = 256  # answers that are held back at a time


class Admission:
    """Authenticates and counts. For the event loop only.

    A key that nobody has is refused from memory, so that a flood of them costs no query.
    """

    def __init__(
        self, chosen: Config, in_thread: Callable[[Callable[[], ApiKey]], Awaitable[ApiKey]]
    ) -> None:
        self._in_thread = in_thread
        quota = chosen.key_per_second * KEY_WINDOW
        self._keys = Limit("key", KeyLimit, quota=quota, window=KEY_WINDOW)
        self._accounts = Limit(
            "account", AccountLimit, quota=chosen.account_per_minute, window=MINUTE
        )
        self._addresses = Limit(
            "address", AddressLimit, quota=chosen.refused_per_minute, window=MINUTE
        )
        self._paused = 0

    async def admit(self, request: Request, header: str, scope: str) -> ApiKey:
        """Return the key of a call, and count the call.

        Raises `KeyRefused`, `ScopeMissing`, `KeyLimit` or `AddressLimit`.
        """
        try:
            key = await self._authenticate(request.address, header, scope)
        except KeyRefused:
            await self.count_stranger(request)
            raise
        return self._counted(request, key)

    async def admit_unchecked(self, request: Request, header: str, scope: str) -> ApiKey:
        """Return a key that was live when the keys were last read, for while nobody can check it.

        Raises `Unavailable` for any other, so that nothing of its body is read.
        """
        key = last_known(header, scope)
        if key is None:
            if live_keys().last:  # a process that has read no keys yet cannot tell a stranger
                await self.count_stranger(request)
            raise Unavailable("Without its database Kinward cannot check this key.")
        return self._counted(request, key)

    def count_parts(self, request: Request, key: str, parts: int) -> None:
        """Count the parts of a call, of which the call itself was one. Raises `KeyLimit`."""
        try:
            self._keys.owe(key, parts - 1)
        finally:
            request.limits = headers_of([(self._keys, self._keys.standing(key))])

    def _counted(self, request: Request, key: ApiKey) -> ApiKey:
        try:
            self._keys.take(key.name)
        finally:
            request.limits = headers_of([(self._keys, self._keys.standing(key.name))])
        return key

    def count_account(self, request: Request, key: str, account: str) -> None:
        """Count a call of an account. Raises `AccountLimit`."""
        caller = f"{key}\0{account}"
        try:
            self._accounts.take(caller)
        finally:
            standing = (self._accounts, self._accounts.standing(caller))
            request.limits = headers_of([(self._keys, self._keys.standing(key)), standing])

    def count_accounts(self, key: str, parts: Mapping[str, int]) -> frozenset[str]:
        """Count what a batch has of each account. Returns the accounts that are over their limit.

        A batch may have more of an account than is left. The account then waits until it has paid.
        """
        spent = set()
        for account, count in parts.items():
            try:
                self._accounts.owe(f"{key}\0{account}", count)
            except AccountLimit:
                spent.add(account)
        return frozenset(spent)

    async def _authenticate(self, address: str, header: str, scope: str) -> ApiKey:
        key = authenticate_known(header, scope)
        if key is not None:
            return key
        # Memory cannot tell just now. Only then a key costs a query, which all callers share.
        if self._addresses.is_spent(address) and not was_live(header):
            raise KeyRefused
        return await self._in_thread(lambda: authenticate(header, scope))

    async def require_unspent(self, request: Request) -> None:
        """Raise `AddressLimit` if an address was refused too often to be listened to now."""
        if self._addresses.is_spent(request.address):
            await self.count_stranger(request)

    async def count_stranger(self, request: Request) -> None:
        """Count a refused call of a stranger. Raises `AddressLimit` beyond the limit."""
        address = request.address
        try:
            self._addresses.take(address)
        except AddressLimit:
            request.limits = headers_of([(self._addresses, self._addresses.standing(address))])
            await self._pause()
            raise

    async def _pause(self) -> None:
        """Hold an answer back, so that whoever waits for answers cannot ask again at once."""
        if self._paused >= MAX_PAUSED:
            return
        self._paused += 1
        try:
            await asyncio.sleep(PAUSE)
        finally:
            self._paused -= 1
