"""What a demo consists of: its folder, its ports, its secrets, and the environment of its processes."""

import fcntl
import json
import os
import secrets
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import click

from membership.cli.ports import free_port, is_free
from membership.config import DEMO_SECRET_MARK, child_environment, is_live_key

HOST = "127.0.0.1"
SANDBOX_KEY = "sk_test_sandbox_of_the_demo"
# The invented newsroom. Its account is the one that German banks print as an example, and belongs to nobody.
NEWSROOM = {
    "NEWSROOM_NAME": "The Harbour Post",
    "BANK_HOLDER": "The Harbour Post",
    "BANK_IBAN": "DE89370400440532013000",
    "BANK_NAME": "Harbour Bank",
    "CASH_WORDS": "An envelope through our letter box: 1 Quay Street.",
    "CONTACT_ADDRESS": "hello@example.org",
}
# What somebody may try in the demo; everything else that the environment says belongs to another installation.
KEPT_SETTINGS = (
    "NEWSROOM_NAME", "REPORTING_CURRENCY", "CUP_PRICES", "GOAL_PATRONS", "GRACE_DAYS", "RATE_LIMITS", "LOG_LEVEL",
    "SITE_ORIGINS", "EMBEDS", "PATRON_HINT_DOMAIN", "FAULT_AT",
)  # fmt: skip


class CannotStart(click.ClickException):
    """The demo cannot start; the message says why and what to type instead."""

    exit_code = 2

    def show(self, file: IO[str] | None = None) -> None:
        """Print the sentence as it is."""
        click.echo(self.format_message(), file=file, err=file is None)


@dataclass(frozen=True)
class StripeKeys:
    """With which Stripe the demo talks: the stand-in, or the real one in test mode."""

    secret_key: str
    webhook_secret: str
    is_real: bool


@dataclass(frozen=True)
class Plan:
    """Where everything lies. All addresses are on loopback."""

    data: Path
    port: int
    sandbox_port: int
    mail_port: int
    stripe: StripeKeys
    secret_key: str

    @property
    def site(self) -> str:
        """The address of the website, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox(self) -> str:
        """The address of the Stripe stand-in."""
        return f"http://{HOST}:{self.sandbox_port}"

    @property
    def mailbox(self) -> Path:
        """The Maildir into which every mail goes."""
        return self.data / "mail"

    def environment(self) -> dict[str, str]:
        """The environment of the demo's processes."""
        return NEWSROOM | child_environment(self.settings(), KEPT_SETTINGS)

    @property
    def settings_file(self) -> Path:
        """The settings as a shell reads them, for commands about this demo."""
        return self.data / "settings.sh"

    def write_settings(self) -> None:
        """Write the settings' file; it holds the demo's secrets, so nobody else may read it."""
        said = NEWSROOM | self.settings()
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in said.items()]
        self.settings_file.unlink(missing_ok=True)
        with os.fdopen(os.open(self.settings_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(lines)

    def settings(self) -> dict[str, str]:
        """The demo's own settings, by the names that the environment gives them."""
        settings = {
            "DEMO": "true",
            "PUBLIC_URL": self.site,
            "SECRET_KEY": self.secret_key,
            "DATABASE_URL": f"sqlite:///{self.data / 'membership.db'}",
            "QUEUE_PATH": str(self.data / "queue.db"),
            "STRIPE_SECRET_KEY": self.stripe.secret_key,
            "STRIPE_WEBHOOK_SECRET": self.stripe.webhook_secret,
            "SMTP_URL": f"smtp://{HOST}:{self.mail_port}",
            "MAIL_FROM": "The Harbour Post <support@example.org>",
            "DEMO_MAILBOX": str(self.mailbox),
        }
        if not self.stripe.is_real:
            settings["STRIPE_API_BASE"] = self.sandbox
            # The sandbox's option --webhook-secret, which as an argument every user of the machine could read.
            settings["MEMBERSHIP_SANDBOX_WEBHOOK_SECRET"] = self.stripe.webhook_secret
        return settings


def make_plan(data: Path, port: int, stripe_key: str | None, webhook_secret: str | None) -> tuple[Plan, IO[str]]:
    """Take the folder and the ports, and find or make the secrets; raises CannotStart with a sentence.

    The file that comes with the plan holds the folder's lock for as long as it is open.
    """
    if stripe_key and is_live_key(stripe_key):
        raise CannotStart(
            "STRIPE_SECRET_KEY is a live key, and the demo never goes near real money. Unset it to use the built-in "
            "stand-in for Stripe, or set a test key (sk_test_…)."
        )
    if stripe_key and not webhook_secret:
        raise CannotStart(
            "With your own Stripe test key the demo needs the secret of a webhook as well. Run\n"
            f"  stripe listen --forward-to http://{HOST}:{port}/stripe/webhook\n"
            "in another terminal, and start again with the whsec_… that it prints as STRIPE_WEBHOOK_SECRET."
        )
    _refuse_taken(port)
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    lock = _lock(data)
    made = _secrets(data / "secrets.json")
    stripe = StripeKeys(SANDBOX_KEY, made["STRIPE_WEBHOOK_SECRET"], is_real=False)
    if stripe_key and webhook_secret:
        stripe = replace(stripe, secret_key=stripe_key, webhook_secret=webhook_secret, is_real=True)
    sandbox_port = free_port(HOST, port + 1, {port})
    mail_port = free_port(HOST, port + 2, {port, sandbox_port})
    return Plan(data, port, sandbox_port, mail_port, stripe, made["SECRET_KEY"]), lock


def _secrets(path: Path) -> dict[str, str]:
    if path.exists():
        found: dict[str, str] = json.loads(path.read_text())
        return found
    made = {
        "SECRET_KEY": DEMO_SECRET_MARK + secrets.token_urlsafe(32),
        "STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(32),
    }
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(made, file, indent=2)
    unfinished.replace(path)
    return made


def _lock(data: Path) -> IO[str]:
    file = (data / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise CannotStart(
            f"Another demo is running in {data}. Stop it, or use another folder: membership demo --data FOLDER"
        ) from None
    return file


def _refuse_taken(port: int) -> None:
    if not is_free(HOST, port):
        raise CannotStart(
            f"Port {port} is in use by another program. Choose another one: make run PORT={port + 80} "
            f"(or membership demo --port {port + 80})."
        )
