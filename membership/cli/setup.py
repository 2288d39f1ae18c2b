"""`membership setup`: makes what must stand elsewhere before readers can pay."""

import logging
from collections.abc import Iterator

import click
from rich.console import Console
from rich.text import Text

from membership.app import create_app
from membership.billing import inbox
from membership.billing.providers.stripe.scopes import StripeScopes
from membership.billing.providers.stripe.selftest import StripeSelfTest
from membership.billing.providers.stripe.setup import Mark, Step, StripeSetup
from membership.config import UNSET_WEBHOOK_SECRET, Settings
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.newsroom.queries import house

MARKS = {
    Mark.FINE: ("✓", "green"),
    Mark.DONE: ("+", "bold green"),
    Mark.LEFT: ("•", "yellow"),
    Mark.PROBLEM: ("✗", "bold red"),
}


@click.group("setup")
def setup() -> None:
    """Make what must stand elsewhere before readers can pay."""


@setup.command("stripe")
@click.option("--url", help="Where Stripe sends its notices. By default PUBLIC_URL and /stripe/webhook.")
@click.option("--check", "is_check", is_flag=True, help="Only look; make and change nothing.")
@click.option("--wait", "wait_seconds", default=20.0, show_default=True, help="Seconds to wait for the test notice.")
def setup_stripe(url: str | None, wait_seconds: float, *, is_check: bool) -> None:
    """Make or mend the product, the portal and the webhook endpoint at Stripe; test the key and the way back.

    It may run again and again: what is right stays as it is. It works before STRIPE_WEBHOOK_SECRET is set, which is
    what the first run is for.
    """
    known = Settings.from_env(unset={"STRIPE_WEBHOOK_SECRET": UNSET_WEBHOOK_SECRET})
    target = url or f"{known.public_url}/stripe/webhook"
    console = Console(highlight=False, soft_wrap=True)
    steps: list[Step] = []
    logging.disable(logging.CRITICAL)  # the steps say it in words
    try:
        for step in _take(known, target, wait_seconds, is_check=is_check):
            _print(console, step)
            steps.append(step)
    except ProviderFailed as failed:
        problem = Step(Mark.PROBLEM, failed.message, "Check STRIPE_SECRET_KEY and the network, and run it again.")
        _print(console, problem)
        steps.append(problem)
    finally:
        logging.disable(logging.NOTSET)
    _conclude(console, steps)


def _take(known: Settings, url: str, wait_seconds: float, *, is_check: bool) -> Iterator[Step]:
    """Permissions first: without them the rest fails in ways that say less."""
    scopes = list(StripeScopes(known).steps())
    yield from scopes
    if any(step.mark is Mark.PROBLEM for step in scopes):
        return
    is_new = False
    for step in StripeSetup(known, url, _name(known), is_check=is_check).steps():
        is_new = is_new or step.secret is not None
        yield step
    if is_new or is_check:
        return
    if UNSET_WEBHOOK_SECRET in [secret.get_secret_value() for secret in known.stripe_webhook_secret]:
        yield Step(
            Mark.PROBLEM,
            "The endpoint is there, but STRIPE_WEBHOOK_SECRET is not set here.",
            "Take the secret from Stripe's dashboard (Developers, Webhooks, this endpoint), or delete the endpoint"
            " there and run this command again for a new one.",
        )
        return
    with create_app(known).app_context():
        try:
            yield from StripeSelfTest(known, url, inbox.has_word_of, wait_seconds).steps(clock.real_now())
        finally:
            db.session.remove()
            db.engine.dispose()


def _name(known: Settings) -> str:
    """The newsroom's name as staff saved it; the environment's where the database is not there yet."""
    with create_app(known).app_context():
        try:
            return house().name
        finally:
            db.session.remove()
            db.engine.dispose()


def _print(console: Console, step: Step) -> None:
    mark, style = MARKS[step.mark]
    console.print(Text.assemble((mark, style), " ", step.what))
    if step.then:
        console.print(Text(f"    Next: {step.then}"))
    if step.secret:
        console.print(Text(f"    STRIPE_WEBHOOK_SECRET={step.secret}", style="bold"))


def _conclude(console: Console, steps: list[Step]) -> None:
    marks = [step.mark for step in steps]
    n_problems, n_left, n_done = (marks.count(mark) for mark in (Mark.PROBLEM, Mark.LEFT, Mark.DONE))
    if n_problems:
        console.print(Text(f"\n{n_problems} thing(s) to put right; see above.", style="bold red"))
        raise SystemExit(1)
    if n_left:
        console.print(Text(f"\n{n_left} thing(s) left to do; see above.", style="bold yellow"))
        raise SystemExit(1)
    words = f"{n_done} thing(s) changed at Stripe." if n_done else "Everything was right; nothing was changed."
    console.print(Text(f"\n{words} Next: membership doctor", style="bold green"))
