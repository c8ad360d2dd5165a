"""The daemon's end of the lease: renewed by the engine's own loop, so that a loop that hangs lets it run out."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import structlog

from mmd.core.ports import Clock, DeadMansSwitch
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import MmdError, VenueError
from mmd.guardian.address import GuardianAddress
from mmd.guardian.message import Action, LeaseAnswer, LeaseRequest, read_answer, signed_line

RENEWALS_PER_LEASE = 10
_RETRY_S = 0.2
_log = structlog.get_logger()


class GuardianView(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon knows of its guardian."""

    at: str
    answers: bool
    lease_s: float
    age_s: float | None
    """Since it answered last; None if it never has."""
    losses: int
    """Leases that it saw run out since it was started."""
    canceled: int
    """Orders that it took back."""


class LeaseTerms(NamedTuple):
    """Who holds the lease, for how long, and by what the guardian knows him."""

    session: str
    lease_s: float
    token: str = ""
    addresses: tuple[str, ...] = ()
    """Of embedded exchanges."""


class LeaseKeeper:
    """Renews the guardian's lease and the venues' own switches, ten times in a lease."""

    def __init__(
        self,
        at: GuardianAddress | None,
        terms: LeaseTerms,
        clock: Clock,
        *,
        switches: Sequence[DeadMansSwitch] = (),
        out_of_hand: Callable[[], tuple[str, ...]] = tuple,
        on_silent: Callable[[], None] | None = None,
    ) -> None:
        """Nothing is sent before `run`.

        Args:
            at: the guardian; None where only venues' switches are kept.
            terms: of the lease.
            clock: of this process.
            switches: those of the venues that have one.
            out_of_hand: the venues where we could not take our orders back; there nothing is renewed.
            on_silent: called once each time when the guardian has not answered for the length of a lease.
        """
        self._at, self._terms, self._lease_s = at, terms, terms.lease_s
        self._clock = clock
        self._switches = switches
        self._out_of_hand = out_of_hand
        self._on_silent = on_silent
        self._number = 0
        self._answered_ns: int | None = None
        self._began_ns = clock.monotonic_ns()
        self._answers = False
        self._is_silent = False
        self._said = LeaseAnswer(ok=True)

    @property
    def view(self) -> GuardianView | None:
        """For people; None without a guardian."""
        if self._at is None:
            return None
        age_ns = (
            None if self._answered_ns is None else self._clock.monotonic_ns() - self._answered_ns
        )
        return GuardianView(
            at=str(self._at),
            answers=self._answers,
            lease_s=self._lease_s,
            age_s=None if age_ns is None else age_ns / NANOS_PER_SECOND,
            losses=self._said.losses,
            canceled=self._said.canceled,
        )

    async def run(self) -> None:
        """Renew until cancelled; a guardian that is away is looked for again and again."""
        async with asyncio.TaskGroup() as group:
            for switch in self._switches:
                group.create_task(self._keep_switch(switch))
            if self._at is not None:
                group.create_task(self._keep_lease(self._at))

    async def release(self) -> None:
        """Our orders are gone: nobody needs to see to them."""
        for switch in self._switches:
            with contextlib.suppress(VenueError):
                await switch.disarm()
        if self._at is None or not self._answers:
            return
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(self._lease_s):
                reader, writer = await self._at.connect()
                await self._say("release", reader, writer)
                writer.close()

    async def _keep_switch(self, switch: DeadMansSwitch) -> None:
        while True:
            try:
                if not self._out_of_hand():
                    await switch.refresh(self._lease_s)
            except VenueError as error:
                _log.warning("venue_switch_not_refreshed", error=str(error))
            await asyncio.sleep(self._lease_s / RENEWALS_PER_LEASE)

    async def _keep_lease(self, at: GuardianAddress) -> None:
        while True:
            try:
                async with asyncio.timeout(self._lease_s):
                    reader, writer = await at.connect()
                try:
                    await self._renew(reader, writer)
                finally:
                    writer.close()
            except (OSError, TimeoutError, ValueError, MmdError) as error:
                if self._answers:
                    _log.warning("guardian_away", at=str(at), error=str(error) or "no answer")
                self._answers = False
            self._judge_silence()
            await asyncio.sleep(_RETRY_S)

    async def _renew(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the connection fails. Raises: OSError, TimeoutError, ValueError, MmdError."""
        while True:
            async with asyncio.timeout(self._lease_s):
                said = await self._say("renew", reader, writer)
            if not said.ok:
                raise MmdError(said.error)
            if not self._answers:
                _log.info("guardian_answers", at=str(self._at), lease_s=self._lease_s)
            if said.losses > self._said.losses:
                _log.warning("lease_was_lost", canceled=said.canceled - self._said.canceled)
            self._answers, self._is_silent, self._said = True, False, said
            self._answered_ns = self._clock.monotonic_ns()
            await asyncio.sleep(self._lease_s / RENEWALS_PER_LEASE)

    async def _say(
        self, action: Action, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> LeaseAnswer:
        self._number = max(self._number + 1, self._clock.unix_ns())
        request = LeaseRequest(
            action=action,
            session=self._terms.session,
            number=self._number,
            lease_ms=int(self._lease_s * 1e3),
            without=self._out_of_hand() if action == "renew" else (),
            addresses=self._terms.addresses,
        )
        writer.write(signed_line(request, self._terms.token))
        return read_answer(await reader.readline())

    def _judge_silence(self) -> None:
        last_ns = self._began_ns if self._answered_ns is None else self._answered_ns
        silent_s = (self._clock.monotonic_ns() - last_ns) / NANOS_PER_SECOND
        if silent_s > self._lease_s and not self._is_silent:
            self._is_silent = True
            _log.warning("guardian_silent", at=str(self._at), for_s=round(silent_s, 1))
            if self._on_silent is not None:
                self._on_silent()
