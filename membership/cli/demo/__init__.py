"""`membership demo`: everything at once, on this machine only, seeded.

The website, the worker, the stand-in for Stripe and a mail server run as processes of their own, exactly as
they would on their own machines.
"""

import signal
import threading
from pathlib import Path

import click
from rich.console import Console

from membership.cli.demo.plan import HOST, CannotStart, Plan, make_plan
from membership.cli.demo.processes import ChildEnded, Family, Stopped, no_mail_server, no_web_server, not_said
from membership.cli.demo.welcome import welcome
from membership.cli.signals import stop_event

# Said by membership/cli/worker.py, which is not imported here: the watching process stays small.
WORKER_READY = "The worker is ready."


@click.command("demo")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Of the website.")
@click.option(
    "--data",
    default=Path("var/demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for everything that the demo keeps.",
)
@click.option("--stripe-key", envvar="STRIPE_SECRET_KEY", hidden=True)
@click.option("--webhook-secret", envvar="STRIPE_WEBHOOK_SECRET", hidden=True)
def demo(port: int, data: Path, stripe_key: str | None, webhook_secret: str | None) -> None:
    """Run everything on this machine, with a newsroom to try it on, until Ctrl-C.

    Payments go to a stand-in for Stripe that runs here too; with a test key in STRIPE_SECRET_KEY, to Stripe's
    own test mode. Nothing listens on anything but loopback.
    """
    console = Console(soft_wrap=True, highlight=False)
    stopping = _stop_event()
    plan, lock = make_plan(data, port, stripe_key, webhook_secret)
    with lock:
        plan.write_settings()
        family = Family(plan.environment(), plan.data / "log", stopping)
        try:
            with console.status("Starting …"):
                _start(plan, family)
            welcome(console, plan)
            while not stopping.wait(0.3):
                family.check()
        except ChildEnded as ended:
            raise Broken(str(ended)) from None
        except Stopped:
            pass
        finally:
            family.stop()
        console.print("Everything has stopped.")


class Broken(CannotStart):
    """A process of the demo ended by itself."""

    exit_code = 1


def _start(plan: Plan, family: Family) -> None:
    mail = family.start("mail server", "mailbox", "--port", str(plan.mail_port), "--maildir", str(plan.mailbox))
    if not plan.stripe.is_real:
        sandbox = family.start(
            "sandbox", "sandbox",
            "--port", str(plan.sandbox_port),
            "--webhook", f"{plan.site}/stripe/webhook",
            "--clock-listener", f"{plan.site}/demo/clock",
            "--data", str(plan.data / "sandbox.db"),
        )  # fmt: skip
        family.wait_for(sandbox, no_web_server(plan.sandbox))
    family.wait_for(mail, no_mail_server(HOST, plan.mail_port))
    family.finish("preparation", "demo-prepare")
    web = family.start("website", "serve", "--host", HOST, "--port", str(plan.port))
    worker = family.start("worker", "worker")
    family.wait_for(web, no_web_server(f"{plan.site}/readyz"))
    family.wait_for(worker, not_said(WORKER_READY, worker.log))


def _stop_event() -> threading.Event:
    signums = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it for us
        signums.append(signal.SIGHUP)
    return stop_event(*signums)
