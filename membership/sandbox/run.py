"""`membership sandbox`: the stand-in for Stripe as a program of its own."""

import ipaddress
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from membership.sandbox.webhooks.retries import Schedule


class CannotStart(click.ClickException):
    """The sandbox cannot start; the message is one sentence."""

    exit_code = 1

    def show(self, file: object = None) -> None:
        """Print the sentence as it is."""
        del file
        click.echo(self.format_message(), err=True)


class _WithFaults(click.Command):
    """Explains the faults below `--help`; their words are read only then, since reading them takes a while."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilogue."""
        self.epilog = _faults_in_words()
        super().format_epilog(ctx, formatter)


def _faults_in_words() -> str:
    r"""What `--help` says about faults; `\b` keeps the lines of a paragraph as they are."""
    from membership.sandbox.faults import CALL_FAULTS, DELIVERY_FAULTS

    calls = "\n".join(f"  {name:<15} {words}" for name, words in CALL_FAULTS.items())
    deliveries = "\n".join(f"  {name:<15} {words}" for name, words in DELIVERY_FAULTS.items())
    return f"""Faults are ordered on the control page, or with POST /_sandbox/faults; DELETE ends them.

\b
For the next calls: {{"calls": [{{"match": "POST /v1/customers", "do": "lost_reply", "times": 2}}]}}
For every call by chance, the same calls for the same seed:
  {{"mix": {{"seed": 7, "match": "POST /v1/*", "shares": {{"500": 0.02, "lost_reply": 0.05}}}}}}
{calls}

\b
For deliveries of events, the same events for the same seed:
  {{"deliveries": {{"seed": 7, "duplicate": 0.1, "drop": 0.02, "delay": 0.1, "delay_seconds": 3600}}}}
{deliveries}

Everything that the control page does can be done as JSON: GET /_sandbox/help lists it."""


@click.command("sandbox", cls=_WithFaults)
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="Port to listen on; 0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--data", type=click.Path(dir_okay=False, path_type=Path), help="Keep everything in this file.")
@click.option("--webhook", "webhooks", multiple=True, metavar="URL", help="Send events there (repeatable).")
@click.option("--webhook-secret", metavar="whsec_…", help="Secret with which they are signed.")
@click.option("--webhook-event", "events", multiple=True, metavar="TYPE", help="Send only these types (repeatable).")
@click.option(
    "--webhook-retries",
    type=click.Choice(["patient", "test", "live"]),
    default="patient",
    show_default=True,
    help="How an event that was not taken is sent again: soon and for ever, or as Stripe does in that mode.",
)
@click.option("--name", envvar="NEWSROOM_NAME", help="The newsroom's name on the pages (or NEWSROOM_NAME).")
@click.option("--clock-listener", "listeners", multiple=True, metavar="URL", help="Tell it when the clock is moved.")
def sandbox_command(  # noqa: PLR0917 - the parts of one thing
    port: int,
    host: str,
    data: Path | None,
    webhooks: tuple[str, ...],
    webhook_secret: str | None,
    events: tuple[str, ...],
    webhook_retries: "Schedule",
    listeners: tuple[str, ...],
    name: str | None,
) -> None:
    """Run a stand-in for Stripe: API, payment pages, webhooks, and a control page."""
    _refuse(host, webhooks, listeners, webhook_secret)
    from membership.sandbox.app import create_sandbox
    from membership.sandbox.settings import Settings

    # Two signals at once (Ctrl-C and a parent that stops us) may interrupt each other's handlers and go unnoticed by
    # a main thread that sleeps for ever; hence a queue, whose `put` may be interrupted, and short naps.
    told: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: told.put(got))
    if data is not None:
        data.parent.mkdir(parents=True, exist_ok=True)
    settings = Settings(webhook_retries=webhook_retries)
    if name:
        settings = replace(settings, account_name=name)
    fixed = [(url, str(webhook_secret)) for url in webhooks]
    sandbox = create_sandbox(
        data, fixed, listeners or (), events=events or ("*",), secret=webhook_secret, settings=settings
    )
    try:
        try:
            url = sandbox.start(host, port)
        except OSError as error:
            raise CannotStart(f"Port {port} on {host} is in use by another program: {error.strerror}.") from error
        click.echo(f"Stripe sandbox ready on {url} (control page: {url}/_sandbox)")
        while told.empty():
            time.sleep(0.2)
    finally:
        sandbox.close()


def _refuse(host: str, webhooks: tuple[str, ...], listeners: tuple[str, ...], secret: str | None) -> None:
    """Never beside a live key, never on a public address, never unsigned."""
    if os.environ.get("STRIPE_SECRET_KEY", "").startswith(("sk_live_", "rk_live_")):
        raise CannotStart("STRIPE_SECRET_KEY is a live key, and the sandbox never runs beside real money. Unset it.")
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise CannotStart(f"The sandbox listens on loopback only, and {host} is not; use 127.0.0.1.")
    if (webhooks or listeners) and not (secret or "").startswith("whsec_"):
        raise CannotStart("With --webhook or --clock-listener give --webhook-secret whsec_… as well.")
