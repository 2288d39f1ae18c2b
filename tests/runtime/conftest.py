"""Programs started as a person starts them, and always ended again."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from membership.config import Settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own_environment(**settings: str) -> dict[str, str]:
    """This environment without any setting of ours, and with these."""
    names = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in names} | settings


def good_settings(folder: Path, **changes: str) -> dict[str, str]:
    return own_environment(
        **{
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "SECRET_KEY": "test-secret-key-of-more-than-32-characters",
            "DATABASE_URL": f"sqlite:///{folder / 'test.db'}",
            "STRIPE_SECRET_KEY": "sk_test_123456789",
            "STRIPE_WEBHOOK_SECRET": "whsec_test_secret_of_the_sandbox",
            "MAIL_FROM": "The Harbour Post <support@example.org>",
            "NEWSROOM_NAME": "The Harbour Post",
        }
        | changes
    )


class Program:
    """A started `membership …` in a process group of its own; `lines` is what it has said so far."""

    def __init__(self, folder: Path, environment: dict[str, str], *command: str) -> None:
        self._output = folder / f"output-{time.monotonic_ns()}.txt"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "membership.cli", *command],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._output.read_text()

    def wait_for_word(self, word: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while word not in self.said:
            assert self.process.poll() is None, f"It ended with {self.process.returncode}:\n{self.said}"
            assert time.monotonic() < deadline, f"It never said {word!r}, only:\n{self.said}"
            time.sleep(0.05)

    def end(self, signum: int = signal.SIGTERM, seconds: float = 30) -> int:
        self.process.send_signal(signum)
        return self.process.wait(seconds)

    def family(self) -> set[int]:
        """Ids of all processes of its group, its own included, as the kernel lists them."""
        found = set()
        for place in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = place.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid and fields[0] != "Z":
                found.add(int(place.parent.name))
        return found


@pytest.fixture
def start(tmp_path):
    """Starts `membership …` in an empty folder; whatever is left of its process group is killed in the end."""
    started = []

    def _start(environment, *command) -> Program:
        started.append(Program(tmp_path, environment, *command))
        return started[-1]

    yield _start
    for program in started:
        for process in program.family():
            os.kill(process, signal.SIGKILL)
        program.process.wait()


@pytest.fixture
def run(tmp_path):
    """Runs `membership …` to its end and gives back exit code, standard output and error."""

    def _run(environment, *command):
        return subprocess.run(
            [sys.executable, "-m", "membership.cli", *command],
            cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    return _run
