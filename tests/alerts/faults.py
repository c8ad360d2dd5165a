"""Real faults for real alerts: what is done to a running daemon, its exchange, its disk or its account."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from tests.monitoring.stack import Stack
from tests.sandbox_client import KEY, now_ms, sign

SYMBOL = "MMDUSDT"
DEPTH = "mmdusdt@depth@100ms"
Inject = Callable[[Stack], None]


class Fault(NamedTuple):
    """Something done to a stack, and the alerts that it must raise."""

    what: str
    inject: Inject
    alerts: tuple[str, ...]
    wait_s: float = 60.0


class Session(NamedTuple):
    """One daemon with its settings, and the faults that it meets one after the other."""

    name: str
    settings: tuple[str, ...]
    faults: tuple[Fault, ...]
    exchange: tuple[str, ...] = ()
    guardian: bool = False
    """Whether a guardian stands beside the daemon, instead of below it."""
    is_lied_to: bool = False
    """Whether somebody between the daemon and the exchange may change what the exchange says."""


def pause(pid: int, seconds: float) -> None:
    """Stop a process for a while, in the background."""
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(seconds, os.kill, (pid, signal.SIGCONT)).start()


def stutter(pid: int, times: int = 25, stopped_s: float = 0.2) -> None:
    """Stop a process shortly, again and again."""
    for _ in range(times):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(stopped_s)
        os.kill(pid, signal.SIGCONT)
        time.sleep(stopped_s)


def buy_by_hand(stack: Stack) -> None:
    """Somebody else trades on the same account: a market order by REST."""
    words = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.5"}
    text = urlencode(words | {"timestamp": str(now_ms())})
    url = f"{stack.exchange_address}/api/v3/order?{text}&signature={sign(text)}"
    request = urllib.request.Request(url, headers={"X-MBX-APIKEY": KEY}, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def fill_disk(folder: Path) -> Inject:
    """Leave no room on the journal's disk."""

    def inject(_: Stack) -> None:
        with (folder / "ballast").open("wb", buffering=0) as file:
            block = bytes(1 << 20)
            try:
                while True:
                    file.write(block)
            except OSError:
                pass

    return inject


def gaps(stack: Stack) -> None:
    """Depth messages go missing, each time after the book was built again."""
    for _ in range(11):
        stack.fault("frames", kind="gap", stream=DEPTH, count=1)
        time.sleep(2.2)


def blind(stack: Stack) -> None:
    """A message goes missing while every request is refused: no new snapshot can be had."""
    stack.fault("limit", seconds=25)
    stack.fault("frames", kind="gap", stream=DEPTH, count=2)


def start_anew(stack: Stack) -> None:
    """The daemon is stopped in order and started again, at the same address."""
    stack.daemon = stack.daemon.again()


def slow_disk(stack: Stack, seconds: float = 40.0) -> None:
    """Everything that the engine brings to the disk takes 0.3 s longer, for a while, in the background."""
    calls = "fsync,fdatasync"
    delay = ["-e", f"trace={calls}", "-e", f"inject={calls}:delay_exit=300000"]
    at = ["-p", str(stack.daemon.children()["engine"])]
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", *delay, *at])
    threading.Timer(seconds, tracer.terminate).start()


def busy(_: Stack, processes: int = 8, seconds: float = 30.0) -> None:
    """So many other programs want the processors for a while, in the background."""
    for _n in range(processes):
        other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        threading.Timer(seconds, other.kill).start()


def nothing(_: Stack) -> None:
    """The settings of the session are the fault."""


def until_calm(stack: Stack) -> None:
    """Wait until nothing raises the risk level; a storm that comes later is a new rise of it."""
    stack.until(lambda state: state["risk_level"] == "NORMAL", 90)


def on_exchange(number: signal.Signals) -> Inject:
    """A signal to the exchange."""
    return lambda stack: stack.exchange.process.send_signal(number)


def pause_guardian(stack: Stack) -> None:
    """The guardian beside the daemon hangs for a while."""
    assert stack.guardian is not None, "the session has none beside its daemon"
    pause(stack.guardian.process.pid, 15)


def stop_engine(stack: Stack) -> None:
    """The engine hangs for two leases, and goes on."""
    stutter(stack.daemon.children()["engine"], times=1, stopped_s=6)


def on_child(role: str, number: signal.Signals) -> Inject:
    """A signal to one of the daemon's processes."""
    return lambda stack: os.kill(stack.daemon.children()[role], number)
