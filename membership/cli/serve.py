"""`membership serve`: the website, by granian."""

import signal

import click
from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from membership.cli.ports import is_free
from membership.cli.signals import wake_main_thread
from membership.config import Settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; loopback by default.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option(
    "--threads",
    default=16,
    show_default=True,
    type=click.IntRange(1, 128),
    help="Per process. Enough that a few requests which wait for a slow Stripe leave room for the others.",
)
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the website until SIGINT or SIGTERM.

    Put a proxy that ends TLS in front of it, and say so with TRUSTED_PROXIES.
    """
    Settings.from_env()  # so that refused settings are said once, here, and not by every process
    if not is_free(host, port):
        raise click.ClickException(f"Port {port} on {host} is in use by another program, or not ours to use.")
    listen("membership.cli.serve:build", host, port, workers, threads)


def listen(target: str, host: str, port: int, workers: int, threads: int) -> None:
    """Serve what the function `target` ("module:name") builds, until SIGINT or SIGTERM. The benches use it too."""
    wake_main_thread()
    Granian(
        target,
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=workers,
        blocking_threads=threads,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_access=False,  # the app writes one line per request itself, with route patterns instead of paths
        log_level=LogLevels.error,
    ).serve()


def build() -> Flask:
    """The app of one web process, which ends when the process that started it is gone."""
    from membership.app import create_app
    from membership.cli.parent import stop_when_orphaned

    # Ctrl-C is for the process that started us; it tells us by SIGTERM. Both at once could go unnoticed (signals.py).
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    wake_main_thread()
    # The handler that came along with the fork only sets a flag of the parent: while this process starts, the
    # signal ends it at once; granian sets its own handler when the app stands.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    stop_when_orphaned()
    return create_app()
