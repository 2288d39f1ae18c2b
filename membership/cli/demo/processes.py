"""The demo's processes: start, wait until they answer, watch, end all. None is ever left behind."""

import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from smtplib import SMTP, SMTPException

START_SECONDS = 120
STOP_SECONDS = 15
LAST_LINES = 15


class ChildEnded(Exception):  # noqa: N818 - reads as a sentence
    """One of the processes ended by itself, or never answered."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []
        super().__init__("\n".join([f"The {name} {what}. Its last words ({log}):", *(f"  {line}" for line in lines)]))


class Stopped(Exception):  # noqa: N818 - reads as a sentence
    """Somebody asked us to stop while we were starting."""


class Child:
    """One process: `name` is what people call it, `command` what `membership` is asked to do."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        # Ctrl-C reaches the whole process group. Only we listen to it, and tell each child once, by SIGTERM: a
        # signal that is blocked here stays blocked in the child.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        with log.open("w") as output:
            # Our end of its standard input stays open as long as we live, however we end (cli/parent.py).
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "membership.cli", "--stop-with-stdin", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
            )
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def has_ended(self) -> bool:
        """Whether it ended, by itself or not."""
        return self.process.poll() is not None


class Family:
    """All processes of one demo, in the order of their start."""

    def __init__(self, environment: Mapping[str, str], logs: Path, stopping: threading.Event) -> None:
        self._environment, self._logs, self._stopping = environment, logs, stopping
        self._children: list[Child] = []

    def start(self, name: str, *command: str) -> Child:
        """Start `membership <command>`; its output goes to a file named after it."""
        child = Child(name, command, self._environment, self._logs / f"{name.replace(' ', '-')}.log")
        self._children.append(child)
        return child

    def finish(self, name: str, *command: str) -> None:
        """Run `membership <command>` to its end; raises ChildEnded where it fails."""
        child = self.start(name, *command)
        while not child.has_ended():
            self._pause()
        self._children.remove(child)
        if child.process.returncode:
            raise ChildEnded(name, "failed", child.log)

    def wait_for(self, child: Child, obstacle: Callable[[], str]) -> None:
        """Wait until `obstacle()` finds nothing in the way; raises ChildEnded where a process ends or time runs out."""
        deadline = time.monotonic() + START_SECONDS
        while found := obstacle():
            if time.monotonic() > deadline:
                raise ChildEnded(child.name, f"was not ready within {START_SECONDS} seconds: {found}", child.log)
            self._pause()
            self.check()

    def check(self) -> None:
        """Raise ChildEnded where one has ended although nobody asked it to."""
        for child in self._children:
            if child.has_ended():
                raise ChildEnded(child.name, f"ended (exit code {child.process.returncode})", child.log)

    def _pause(self) -> None:
        if self._stopping.wait(0.1):
            raise Stopped

    def stop(self) -> None:
        """End all, the last one first; what does not go within 15 seconds is killed. Returns when all are gone."""
        for child in reversed(self._children):
            if not child.has_ended():
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self._children):
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._children.clear()


def no_web_server(address: str) -> Callable[[], str]:
    """What stands in the way of a good answer from `address`; empty where it answers without an error of its own."""

    def _ask() -> str:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own loopback address
                return ""
        except urllib.error.HTTPError as error:
            # /readyz says in sentences what it waits for.
            return "" if error.code < 500 else error.read().decode(errors="replace")  # noqa: PLR2004 - every 5xx
        except OSError as error:
            return str(error)

    return _ask


def no_mail_server(host: str, port: int) -> Callable[[], str]:
    """What stands in the way of a greeting from the mail server there; empty where it greets us."""

    def _ask() -> str:
        try:
            with SMTP(host, port, timeout=5) as smtp:
                smtp.noop()
        except (OSError, SMTPException) as error:
            return str(error)
        return ""

    return _ask


def not_said(word: str, log: Path) -> Callable[[], str]:
    """Empty as soon as `word` stands in `log`."""
    return lambda: "" if word in log.read_text(errors="replace") else "it has not said so"
