"""`mmd guardian`: a small process that takes our orders back when the daemon no longer renews its lease.

It loads no compiler and no engine. It ends when the daemon has left in order, or when it has seen the orders gone and its
parent is gone, too; alone it stays until it is told to end.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import structlog
from pydantic import ValidationError

from adapters.registry import own_orders
from mmd.config_errors import explain
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError, MmdError, OrdersLeftError
from mmd.guardian.address import GuardianAddress, parse_address
from mmd.guardian.lease import Lease, LeaseState
from mmd.guardian.message import LeaseAnswer, LeaseRequest
from mmd.guardian.metrics import GuardianFigures, serve_metrics
from mmd.guardian.server import LeaseServer
from mmd.guardian.sweep import OwnOrders, Tally, sweep
from mmd.shell import log
from mmd.shell.clock import SystemClock
from mmd.venue_fields import parts_of

_LOOK_S: Final = 0.02
_READY_S: Final = 30.0
_GIVE_UP_S: Final = 60.0
_GONE_S: Final = 3.0
"""An embedded exchange that was started with the daemon and does not answer for so long went with it."""
_NS_PER_MS: Final = 1_000_000
_log = structlog.get_logger()


class GuardedVenue(msgspec.Struct, frozen=True, kw_only=True):
    """One venue of the daemon."""

    name: str
    adapter: str
    fields: dict[str, Any]
    """Its settings as its adapter is to read them, those that are other ones for the guardian in their place."""


class GuardianOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a guardian is started with: of the settings only what it needs, because to read them loads the compiler."""

    environment: str
    lease_s: float
    at: str
    """Where it listens: a socket file if it is a child of `mmd run`, else host:port."""
    is_child: bool
    armed: bool = False
    """Whether a daemon runs already, which has a lease's time to say so."""
    token: str = ""
    starts_exchange: bool = False
    """Whether the daemon starts its exchange itself, and tells where it is."""
    weight_per_minute: int
    metrics_port: int = 0
    metrics_host: str = "127.0.0.1"
    log_level: str
    log_format: Literal["auto", "console", "json"]
    venues: tuple[GuardedVenue, ...]


def run_guardian(options: GuardianOptions) -> None:
    """Guard until there is nothing left to guard, or a signal.

    Raises:
        ConfigError: Settings that make no guardian.
        OrdersLeftError: The orders of a dead daemon could not be confirmed gone.
    """
    log.configure(options.log_level, options.log_format)
    asyncio.run(GuardianProcess(options).run())


class GuardianProcess:
    """One guardian.

    Attributes:
        lease: the daemon's.
        canceled: orders that were taken back since it was started.
    """

    def __init__(self, options: GuardianOptions) -> None:
        """Nothing is opened yet. Raises: ConfigError."""
        self._options = options
        self._clock = SystemClock()
        self.lease = Lease()
        self.canceled = 0
        at = (
            GuardianAddress(path=Path(options.at))
            if options.is_child
            else parse_address(options.at, "guardian.listen")
        )
        self._server = LeaseServer(at, options.token, self.lease, self._clock, self._answer)
        self._addresses: tuple[str, ...] = ()
        self._orders: list[OwnOrders] = []
        self._stop = asyncio.Event()
        self._swept: dict[str, asyncio.Task[None]] = {}
        """By venue, the sweep where the lease was lost for it alone, until it is renewed with it."""
        self._ends = False
        """Whether to end as soon as nothing is left to guard."""

    async def run(self) -> None:
        """As `run_guardian`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGUSR1, self._on_daemon_gone)
        if self._options.is_child:  # our parent's end closes our standard input
            loop.add_reader(sys.stdin, self._on_parent_gone)
        if (
            not self._options.starts_exchange
        ):  # one that is started with the daemon tells its address later
            self._open_venues()
        if self._options.armed:
            length_ns = int(self._options.lease_s * NANOS_PER_SECOND)
            self.lease.renew("", length_ns, self._clock.monotonic_ns())
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            await self._server.start()
            host, port = self._options.metrics_host, self._options.metrics_port
            if port > 0:
                await serve_metrics(host, port, self._figures, stack)
            _log.info("guardian_up", at=str(self._server.address), pid=os.getpid())
            ready = asyncio.create_task(self._keep_ready(), name="ready")
            stack.callback(ready.cancel)
            await self._guard()

    async def _guard(self) -> None:
        """Until a signal, or there is nothing left to guard. Raises: OrdersLeftError."""
        while not self._stop.is_set():
            if self.lease.expire(self._clock.monotonic_ns()):
                await self._take_back()
            elif self._ends and self.lease.state is LeaseState.IDLE:
                return
            self._follow_venues()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._stop.wait()
        if self.lease.state is LeaseState.HELD:
            _log.warning("daemon_unguarded", session=self.lease.session)

    async def _take_back(self) -> None:
        """Cancel at every venue until it is confirmed, or the daemon is back. Raises: OrdersLeftError."""
        began_ns = self._clock.monotonic_ns()
        _log.error("lease_lost", session=self.lease.session)
        self._open_venues()
        give_up_s = _GONE_S if self._options.starts_exchange else _GIVE_UP_S
        give_up_ns = began_ns + int(give_up_s * NANOS_PER_SECOND)

        def is_wanted() -> bool:
            is_over = self._ends and self._clock.monotonic_ns() > give_up_ns
            return self.lease.state is LeaseState.LOST and not (is_over or self._stop.is_set())

        tallies = [Tally(orders.name) for orders in self._orders]
        async with asyncio.TaskGroup() as group:
            for orders, tally in zip(self._orders, tallies, strict=True):
                group.create_task(sweep(orders, is_wanted, self._clock, asyncio.sleep, tally))
        for tally in tallies:
            self.canceled += tally.canceled
            _tell(tally, began_ns, self._clock.monotonic_ns())
        if self.lease.state is not LeaseState.LOST:
            if self.lease.state is LeaseState.HELD:
                _log.warning("daemon_is_back", session=self.lease.session)
            return  # or it has seen its orders gone itself, and has left in order
        self.lease.release()
        if not all(tally.confirmed for tally in tallies) and not self._options.starts_exchange:
            raise OrdersLeftError(
                "orders of the dead daemon may be left: expected every venue to list none; look there by hand"
            )

    def _follow_venues(self) -> None:
        """Sweep where the lease is lost for one venue alone, once for each loss."""
        now_ns = self._clock.monotonic_ns()
        for orders in self._orders:
            work = self._swept.get(orders.name)
            if work is not None and work.done():
                work.result()
            if self.lease.expire_at(orders.name, now_ns):
                if work is None:
                    self._swept[orders.name] = asyncio.create_task(self._take_back_at(orders))
            elif work is not None and work.done():
                del self._swept[orders.name]

    async def _take_back_at(self, orders: OwnOrders) -> None:
        """Cancel at a venue until it is confirmed, the daemon has its orders there in hand, or all is to be taken back."""
        began_ns, tally = self._clock.monotonic_ns(), Tally(orders.name)
        _log.error("lease_lost", session=self.lease.session, venue=orders.name)

        def is_wanted() -> bool:
            is_lost = self.lease.expire_at(orders.name, self._clock.monotonic_ns())
            return is_lost and not self._stop.is_set()

        await sweep(orders, is_wanted, self._clock, asyncio.sleep, tally)
        self.canceled += tally.canceled
        _tell(tally, began_ns, self._clock.monotonic_ns())

    async def _keep_ready(self) -> None:
        """Connections open and clocks compared while somebody is guarded, so that no time is lost then."""
        while True:
            for orders in self._orders if self.lease.state is LeaseState.HELD else ():
                try:
                    await orders.keep_ready()
                except MmdError as error:
                    _log.warning("guardian_cannot_reach", venue=orders.name, error=str(error))
            await asyncio.sleep(_READY_S if self._orders else 10 * _LOOK_S)

    def _answer(self, request: LeaseRequest) -> LeaseAnswer:
        """What the daemon is told; what it tells of its embedded exchange is kept."""
        if request.addresses != self._addresses:
            self._addresses = request.addresses
            self._open_venues()
        return LeaseAnswer(ok=True, losses=self.lease.losses, canceled=self.canceled)

    def _open_venues(self) -> None:
        """Be ready to ask every venue. Raises: ConfigError."""
        if self._orders:
            return
        options = self._options
        for number, venue in enumerate(options.venues):
            fields = venue.fields
            if number < len(self._addresses):
                fields = parts_of(self._addresses[number]) | fields
            if fields.get("observe") is True:
                continue
            try:
                orders = own_orders(
                    venue.adapter,
                    venue.name,
                    fields,
                    self._clock,
                    environment=options.environment,
                    weight_per_minute=options.weight_per_minute,
                )
            except ValidationError as error:
                raise ConfigError(explain(error, f"venues.{venue.name}")) from error
            if orders.straggle_s > options.lease_s:
                raise ConfigError(
                    f"guardian.lease_s: expected at least the receive window of {venue.name} "
                    f"({orders.straggle_s} s), found {options.lease_s} s"
                )
            self._orders.append(orders)

    def _figures(self) -> GuardianFigures:
        lease = self.lease
        return GuardianFigures(
            held=lease.state is LeaseState.HELD,
            renewals=lease.renewals,
            losses=lease.losses,
            canceled=self.canceled,
        )

    async def _close(self) -> None:
        self._server.stop()
        for work in self._swept.values():
            work.cancel()
        if self._swept:
            await asyncio.wait(self._swept.values())
        for orders in self._orders:
            await orders.close()

    def _on_daemon_gone(self) -> None:
        """Our parent has seen it end: what it has not released is lost now."""
        self._ends = True
        self.lease.lose()

    def _on_parent_gone(self) -> None:
        """The daemon sees the same, and leaves in order if it can."""
        asyncio.get_running_loop().remove_reader(sys.stdin)
        _log.warning("parent_gone")
        self._ends = True


def _tell(tally: Tally, began_ns: int, now_ns: int) -> None:
    """One line on what became of one venue's orders."""
    clear_ms = (tally.clear_ns - began_ns) / _NS_PER_MS if tally.clear_ns > 0 else None
    keys = {
        "venue": tally.venue,
        "canceled": tally.canceled,
        "clear_after_ms": None if clear_ms is None else round(clear_ms, 1),
        "took_ms": round((now_ns - began_ns) / _NS_PER_MS, 1),
    }
    if tally.confirmed:
        _log.warning("orders_gone", **keys)
    else:
        _log.error("orders_not_confirmed_gone", failures=tally.failures, error=tally.error, **keys)


def main() -> None:
    """Entry point: the options as JSON on the descriptor that is named; expected failures are one line and a code.

    Not on the command line, which everybody can read: keys are among them.
    """
    with os.fdopen(int(sys.argv[1]), "rb") as given:
        options = msgspec.json.decode(given.read(), type=GuardianOptions)
    try:
        run_guardian(options)
    except MmdError as error:
        sys.stderr.write(f"mmd: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
