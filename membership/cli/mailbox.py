"""`membership mailbox`: a real SMTP server on loopback that keeps every mail in a Maildir, for the demo.

Nothing leaves this machine; `/demo/mail` shows what came in.
"""

from pathlib import Path

import click
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from membership.cli.signals import stop_event

LARGEST_MAIL = 1_000_000


def serve_mailbox(maildir: Path, port: int) -> Controller:
    """Accept every mail on 127.0.0.1:`port` and store it in `maildir` (made where it is missing).

    It answers already; call `.stop()` in the end. OSError where the port is taken.
    """
    maildir.parent.mkdir(parents=True, exist_ok=True)
    controller = Controller(
        Mailbox(maildir), hostname="127.0.0.1", port=port, data_size_limit=LARGEST_MAIL, ident="demo mailbox"
    )
    controller.start()
    return controller


@click.command("mailbox")
@click.option("--port", default=8025, show_default=True, type=click.IntRange(1, 65535), help="Where to listen.")
@click.option(
    "--maildir",
    default=Path("var/mail"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the mails are kept.",
)
def mailbox(port: int, maildir: Path) -> None:
    """Take every mail on loopback and keep it in a Maildir, until SIGINT or SIGTERM."""
    stopping = stop_event()
    try:
        controller = serve_mailbox(maildir, port)
    except OSError as error:
        raise click.ClickException(f"The mailbox cannot listen on port {port}: {error.strerror or error}.") from error
    click.echo(f"Mail for smtp://127.0.0.1:{port} is kept in {maildir}.")
    stopping.wait()
    controller.stop()
