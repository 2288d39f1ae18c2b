"""Charging an intent and telling its invoice, and with that its subscription, what came of it."""

from membership.sandbox import payments
from membership.sandbox.kinds import Obj
from membership.sandbox.tasks import task
from membership.sandbox.world import World


def collect(world: World, intent: Obj, method: Obj, *, on_session: bool, confirmed: bool = False) -> str:
    """As `payments.attempt`; an invoice that the intent pays for, and a subscription behind it, follow."""
    result = payments.attempt(world, intent, method, on_session=on_session, confirmed=confirmed)
    _tell_invoice(world, intent, result)
    return result


def _tell_invoice(world: World, intent: Obj, result: str) -> None:
    from membership.sandbox import invoicing

    invoice = world.store.get(intent["_invoice"])
    if invoice is not None and invoice["status"] in {"open", "uncollectible"}:
        invoicing.after_attempt(world, invoice, intent, result)


@task("settle")
def settle(world: World, intent: Obj) -> None:
    """Some days after a debit was begun: the money arrives or the debit is returned."""
    from membership.sandbox.resources import checkout_sessions

    charge, method = world.store.get(intent["latest_charge"]), world.store.get(intent["payment_method"])
    if intent["status"] != "processing" or charge is None or method is None:
        return
    fails = method["_card"].get("fails_later", False)
    if fails:
        payments.fail_pending(world, intent)
    else:
        payments.complete(world, intent, charge)
    _tell_invoice(world, intent, "declined" if fails else "succeeded")
    checkout_sessions.after_settling(world, intent, paid=not fails)
