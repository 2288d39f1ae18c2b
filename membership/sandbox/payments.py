"""Taking money: one attempt to charge a payment method for a payment intent, and what the balance gets of it."""

import secrets
from typing import Any

from membership.sandbox import cards, ways
from membership.sandbox.kinds import Obj, new_id, public
from membership.sandbox.money import card_fee
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.tasks import task
from membership.sandbox.world import World, snapshot

DAY = 86400
_SETTLES_AFTER = 7 * DAY


def attempt(world: World, intent: Obj, method: Obj, *, on_session: bool, confirmed: bool = False) -> str:
    """Try to charge `method` for the whole of `intent`, and say what came of it (`cards.Outcome`).

    The intent, its charge and the balance are changed and their events recorded; invoices and sessions are the
    caller's. A customer for whom a failure was ordered on the control page is refused once.
    """
    card = cards.Card(**method["_card"])
    result, reason = cards.outcome(
        card, on_session=on_session, confirmed=confirmed, saved=bool(method.get("_confirmed"))
    )
    customer = world.store.get(intent["customer"])
    if result != "declined" and customer and customer.pop("_fail_next", None):
        result, reason = "declined", "generic_decline"
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    if result == "requires_action":
        url = f"{world.public_url}/c/confirm/{intent['id']}"
        intent["status"] = "requires_action"
        leads_back = intent.get("_return_url")
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"return_url": leads_back, "url": url}}
        world.emit("payment_intent.requires_action", intent)
    elif result == "declined":
        _declined(world, intent, method, str(reason))
    else:
        if confirmed:
            method["_confirmed"] = True
        _charged(world, intent, method, pending=result == "processing")
    return result


def _declined(world: World, intent: Obj, method: Obj, reason: str) -> None:
    code, message = cards.MESSAGES[reason]
    charge = _charge(world, intent, method)
    charge |= {"status": "failed", "paid": False, "captured": False, "amount_captured": 0}
    charge |= {"failure_code": code, "failure_message": message}
    charge["outcome"] = {
        **charge["outcome"],
        "network_status": "declined_by_network",
        "network_decline_code": "01",
        "advice_code": "try_again_later",
        "reason": reason,
        "seller_message": "The bank did not give a further reason.",
        "type": "issuer_declined",
    }
    intent["status"] = "requires_payment_method"
    intent["latest_charge"] = charge["id"]
    intent["payment_method"] = None
    intent["last_payment_error"] = {
        **cards.refusal(reason),
        "charge": charge["id"],
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "payment_method": public(method),
    }
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)


def _charged(world: World, intent: Obj, method: Obj, *, pending: bool) -> None:
    charge = _charge(world, intent, method)
    intent["latest_charge"] = charge["id"]
    if pending:
        charge |= {"status": "pending", "paid": False}
        intent["status"] = "processing"
        world.emit("charge.pending", charge)
        world.emit("payment_intent.processing", intent)
        world.schedule(intent, "settle", world.now + world.settings.debit_days * DAY)
    elif intent["capture_method"] == "manual":
        _hold(world, intent, charge)
    else:
        complete(world, intent, charge)


def complete(world: World, intent: Obj, charge: Obj) -> None:
    """The money of a charge has arrived: book it, and have a payer who disputes do so an hour later.

    With `automatic_async`, Stripe's default, answer and events come before the booking, which `charge.updated` tells:
    in the same moment, or after `Settings.booking_seconds`. (A test clock that stands still would never get there.)
    """
    charge |= {"status": "succeeded", "paid": True}
    intent |= {"status": "succeeded", "amount_received": charge["amount_captured"], "processing": None}
    later = intent["capture_method"] == "automatic_async"
    if not later:
        _enter(world, charge)
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    if later and world.settings.booking_seconds and not world.clock:
        world.schedule(charge, "enter", world.now + world.settings.booking_seconds)
    elif later:
        world.store.before_commit.append(lambda: _enter_later(world, charge))
    if charge.get("_disputed"):
        world.schedule(charge, "dispute", world.now + 3600)
    if charge.get("_warned"):
        world.schedule(charge, "warn", world.now + 3600)


def _enter(world: World, charge: Obj) -> None:
    kind = "charge" if charge["payment_method_details"]["type"] == "card" else "payment"
    txn = book(
        world,
        charge["amount_captured"],
        charge["currency"],
        source=charge["id"],
        kind=kind,
        fee=card_fee(charge["amount_captured"]),
        description=charge["description"],
    )
    charge["balance_transaction"] = txn["id"]


@task("enter")
def _enter_later(world: World, charge: Obj) -> None:
    before = snapshot(charge)
    _enter(world, charge)
    world.emit("charge.updated", charge, before)


def _hold(world: World, intent: Obj, charge: Obj) -> None:
    """The bank reserves the money for a week; nothing is booked until it is captured."""
    charge |= {"captured": False, "amount_captured": 0}
    card = charge["payment_method_details"].get("card")
    if card:
        card["capture_before"] = world.now + 7 * DAY
    intent |= {"status": "requires_capture", "amount_capturable": charge["amount"]}
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.amount_capturable_updated", intent)
    world.schedule(intent, "hold_ends", world.now + 7 * DAY)


def capture(world: World, intent: Obj, amount: int) -> None:
    """Take `amount` of what was reserved for an intent, and let the rest go."""
    charge = world.need("charge", intent["latest_charge"], "charge")
    before = snapshot(charge)
    charge |= {"captured": True, "amount_captured": amount, "amount_refunded": charge["amount"] - amount}
    intent |= {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}
    world.schedule(intent, "hold_ends", None)
    _enter(world, charge)
    world.emit("charge.captured", charge, before)
    world.emit("payment_intent.succeeded", intent)


def let_go(world: World, intent: Obj) -> None:
    """Give back what was reserved for an intent, if anything was."""
    charge = world.store.get(intent["latest_charge"])
    if intent["status"] != "requires_capture" or charge is None:
        return
    charge |= {"refunded": True, "amount_refunded": charge["amount"]}
    intent["amount_capturable"] = 0
    world.schedule(intent, "hold_ends", None)
    world.emit("charge.refunded", charge)


@task("hold_ends")
def hold_ends(world: World, intent: Obj) -> None:
    """Reserved money was not taken for a week: the bank lets it go, and the intent is over."""
    charge = world.store.get(intent["latest_charge"])
    if intent["status"] != "requires_capture" or charge is None:
        return
    charge |= {"refunded": True, "amount_refunded": charge["amount"]}
    intent |= {"status": "canceled", "canceled_at": world.now, "cancellation_reason": "automatic"}
    intent["amount_capturable"] = 0
    world.emit("charge.expired", charge)
    world.emit("payment_intent.canceled", intent)


def fail_pending(world: World, intent: Obj) -> None:
    """A debit came back: the charge fails, and the intent wants another payment method."""
    charge = world.store.get(intent["latest_charge"])
    if charge is None:
        return
    message = "The account has too little money."
    charge |= {"status": "failed", "failure_code": "insufficient_funds", "failure_message": message, "captured": False}
    intent |= {"status": "requires_payment_method", "payment_method": None}
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": "payment_method_provider_decline",
        "decline_code": "insufficient_funds",
        "message": message,
        "type": "card_error",
    }
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)


def book(
    world: World, amount: int, currency: str, *, source: str, kind: str, fee: int = 0, description: str | None = None
) -> Obj:
    """Enter a movement of the balance: `amount` gross in minor units (negative is out), `fee` kept of it."""
    categories = {"payment": "charge", "payment_refund": "refund", "adjustment": "dispute"}
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Sandbox processing fees" if amount > 0 else "Dispute fee",
            "type": "stripe_fee",
        }
    ]
    txn = world.add(
        "balance_transaction",
        {
            "amount": amount,
            "available_on": world.now + _SETTLES_AFTER,
            "balance_type": "payments",
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": categories.get(kind, kind),
            "source": source,
            "status": "pending",
            "type": kind,
        },
    )
    del txn["livemode"]
    return txn


def card_error(_world: World, intent: Obj, *, keeps_work: bool = True) -> ApiError:
    """The 402 that the API answers for an intent whose last attempt was declined."""
    error = dict(intent["last_payment_error"] or {})
    names = ("advice_code", "charge", "decline_code", "network_decline_code", "payment_method")
    details = {name: error.get(name) for name in names}
    return ApiError(
        error["message"],
        status=402,
        kind="card_error",
        code=error["code"],
        keeps_work=keeps_work,
        payment_intent=public(intent),
        **details,
    )


def _charge(world: World, intent: Obj, method: Obj) -> Obj:
    """A charge as it would be if it succeeds; the caller changes what differs."""
    amount = intent["amount"]
    charge_id = new_id("ch_")
    nothing: Obj = dict.fromkeys(
        (
            "application", "application_fee", "application_fee_amount", "balance_transaction",
            "failure_balance_transaction", "failure_code", "failure_message", "on_behalf_of", "receipt_number",
            "review", "source", "source_transfer", "transfer_data", "transfer_group",
        )
    )  # fmt: skip
    fields: Obj = {
        "id": charge_id,
        **nothing,
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": world.settings.account_name.upper()[:22],
        "captured": True,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(method, amount),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "receipt_url": f"{world.public_url}/receipts/{charge_id}",
        "refunded": False,
        "status": "succeeded",
        "_warned": method["_card"].get("warned", False),
        "_disputed": method["_card"].get("disputed", ""),
        "_refunds": method["_card"].get("refunds", "succeeded"),
    }
    return world.add("charge", fields)


def _outcome() -> Obj:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 32,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _details(method: Obj, amount: int) -> Obj:
    if method["type"] == "sepa_debit":
        bank = {name: value for name, value in method["sepa_debit"].items() if name != "generated_from"}
        return {"type": "sepa_debit", "sepa_debit": {**bank, "mandate": None}}
    if method["type"] != "card":
        return ways.paid_with(method)
    card: dict[str, Any] = {k: v for k, v in method["card"].items() if k not in {"display_brand", "networks"}}
    for name in ("generated_from", "three_d_secure_usage"):
        card.pop(name, None)
    card |= {
        "amount_authorized": amount,
        "authorization_code": "123456",
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": method["card"]["brand"],
        "network_token": {"used": False},
        "network_transaction_id": f"{secrets.randbelow(10**15):015d}",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": None,
    }
    return {"type": "card", "card": card}
