"""What happens when somebody pays on the hosted page."""

from dataclasses import dataclass
from typing import Literal

from membership.sandbox import cards, collection, founding, invoicing, lines, payments
from membership.sandbox.kinds import Obj
from membership.sandbox.protocol.errors import ApiError, unexpected_state
from membership.sandbox.tasks import task
from membership.sandbox.world import World, merge_metadata


@dataclass(frozen=True)
class Typed:
    """What was typed on the page; `expires` is (month, year)."""

    email: str | None
    name: str | None
    card: cards.Card
    expires: tuple[int, int]


@dataclass(frozen=True)
class Outcome:
    """`done` (paid, or on its way), `declined` with a reason out of `cards.MESSAGES`, or `confirm` at the bank."""

    kind: Literal["done", "declined", "confirm"]
    reason: str = ""


def pay(world: World, session: Obj, typed: Typed, *, confirmed: bool = False, method: Obj | None = None) -> Outcome:
    """Complete an open session with what was typed, or leave it open where the card is refused.

    `method` is the one kept from before the confirmation. ApiError 400 where the session is no longer open.
    """
    from membership.sandbox.resources import payment_methods

    if session["status"] != "open":
        raise unexpected_state("This Checkout Session is no longer open.", "checkout_session_not_open")
    world.follow(session)
    email = session["customer_email"] or _known_email(world, session) or typed.email
    method = method or payment_methods.make(world, typed.card, email=email, name=typed.name, expires=typed.expires)
    session["customer_details"] = {**_details(session), "email": email, "name": typed.name}
    foreseen, reason = _foresee(world, session, typed.card, confirmed=confirmed)
    if session["mode"] == "setup" or session["amount_total"] == 0:
        return _without_payment(world, session, method, foreseen, reason, confirmed=confirmed)
    intent = _intent(world, session)
    if foreseen in {"declined", "requires_action"}:
        payments.attempt(world, intent, method, on_session=True, confirmed=confirmed)
        session["_method"] = method["id"]
        return Outcome("confirm") if foreseen == "requires_action" else Outcome("declined", reason)
    customer = _customer(world, session, email, typed.name)
    intent["customer"] = customer["id"] if customer else None
    if session["mode"] == "subscription" and customer:
        _subscribe(world, session, customer, method, intent, confirmed=confirmed)
    else:
        session["payment_intent"] = intent["id"]
        collection.collect(world, intent, method, on_session=True, confirmed=confirmed)
        if intent["setup_future_usage"] and customer:
            payment_methods.attach_to(world, method, customer)
    _complete(world, session, "paid" if intent["status"] == "succeeded" else "unpaid")
    return Outcome("done")


def _details(session: Obj) -> Obj:
    empty = dict.fromkeys(["address", "business_name", "email", "individual_name", "name", "phone", "tax_ids"])
    return {**empty, "tax_exempt": "none", **(session["customer_details"] or {})}


def _known_email(world: World, session: Obj) -> str | None:
    customer = world.store.get(session["customer"])
    return customer.get("email") if customer else None


def _foresee(world: World, session: Obj, card: cards.Card, *, confirmed: bool) -> tuple[str, str]:
    """What a charge will come to, before anything is made for it."""
    result, reason = cards.outcome(card, on_session=True, confirmed=confirmed)
    customer = world.store.get(session["customer"])
    if result != "declined" and customer and customer.pop("_fail_next", None):
        return "declined", "generic_decline"
    return result, reason or ""


def _intent(world: World, session: Obj) -> Obj:
    """The one intent of a session, however many cards are tried."""
    from membership.sandbox.resources import payment_intents

    known = world.store.get(session["_intent"])
    if known is not None:
        return known
    data = session["_intent_data"]
    subscribing = session["mode"] == "subscription"
    intent = payment_intents.make(
        world,
        session["amount_total"],
        session["currency"],
        session["customer"],
        session["payment_method_types"],
        description="Subscription creation" if subscribing else data.get("description"),
        metadata=merge_metadata({}, data.get("metadata")),
        receipt_email=data.get("receipt_email"),
        setup_future_usage="off_session" if subscribing else data.get("setup_future_usage"),
        capture_method="automatic" if subscribing else data.get("capture_method", "automatic_async"),
    )
    session["_intent"] = intent["id"]
    return intent


def _customer(world: World, session: Obj, email: str | None, name: str | None) -> Obj | None:
    """The session's customer, made now where the mode or `customer_creation` asks for one."""
    from membership.sandbox.resources import customers

    known = world.store.get(session["customer"])
    if known is not None:
        if not known["email"]:
            known["email"] = email
        return known
    if session["mode"] == "payment" and session["customer_creation"] != "always":
        return None
    locale = session["locale"]
    locales = [locale] if locale not in {None, "auto"} else []
    customer = customers.make(world, {"email": email, "name": name, "preferred_locales": locales})
    session["customer"] = customer["id"]
    return customer


def _subscribe(world: World, session: Obj, customer: Obj, method: Obj, intent: Obj | None, *, confirmed: bool) -> None:
    """Since API version basil the subscription is made only now that the payment will go through."""
    from membership.sandbox.resources import invoice_items, payment_methods

    payment_methods.attach_to(world, method, customer)
    recurring = [(line["price"], line["quantity"]) for line in session["_lines"] if line["price"]["recurring"]]
    for line in session["_lines"]:
        if not line["price"]["recurring"]:
            invoice_items.make(
                world,
                customer,
                line["amount_total"],
                session["currency"],
                description=line["description"],
                pricing=lines.pricing(line["price"]),
                quantity=line["quantity"],
                quantity_decimal=str(line["quantity"]),
            )
    sub = founding.found(world, customer, recurring, session["_sub_data"], default_method=method["id"])
    invoice = founding.draft_first(world, sub, customer)
    sub["_quiet"] = True
    invoicing.finalize(world, invoice, intent)
    if intent is not None and invoice["status"] == "open":
        collection.collect(world, intent, method, on_session=True, confirmed=confirmed)
    sub.pop("_quiet", None)
    world.emit("customer.subscription.created", sub)
    session |= {"subscription": sub["id"], "invoice": invoice["id"]}


def _without_payment(
    world: World, session: Obj, method: Obj, foreseen: str, reason: str, *, confirmed: bool
) -> Outcome:
    """Setup mode, and subscriptions that begin with a trial: the card is saved, nothing is charged."""
    from membership.sandbox.resources import setup_intents

    session["_method"] = method["id"]
    if foreseen == "requires_action":
        return Outcome("confirm")
    if foreseen == "declined":
        return Outcome("declined", reason)
    customer = _customer(world, session, session["customer_details"]["email"], session["customer_details"]["name"])
    if session["mode"] == "subscription" and customer:
        _subscribe(world, session, customer, method, None, confirmed=confirmed)
    elif session["mode"] == "setup":
        setup = world.need("setup_intent", session["setup_intent"], "setup_intent")
        setup_intents.finish(world, setup, method, confirmed=confirmed)
    _complete(world, session, "no_payment_required")
    return Outcome("done")


def _complete(world: World, session: Obj, payment_status: str) -> None:
    session |= {"status": "complete", "payment_status": payment_status, "url": None}
    world.schedule(session, "expire_session", None)
    world.emit("checkout.session.completed", session)


def expire(world: World, session: Obj) -> None:
    """Close an open session for good, unpaid."""
    from membership.sandbox.resources import payment_intents, setup_intents

    if session["status"] != "open":
        raise ApiError(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of'
            f" {session['status']}."
        )
    session |= {"status": "expired", "url": None}
    intent = world.store.get(session["_intent"])
    if intent and intent["status"] not in {"succeeded", "canceled", "processing"}:
        payment_intents.give_up(world, intent, None)
    setup = world.store.get(session["setup_intent"])
    if setup:
        setup_intents.give_up(world, setup, None)
    world.schedule(session, "expire_session", None)
    world.emit("checkout.session.expired", session)


@task("expire_session")
def expire_due(world: World, session: Obj) -> None:
    """The moment of `expires_at` has come."""
    if session["status"] == "open":
        expire(world, session)


def success_address(session: Obj) -> str:
    """Where the browser goes after paying, with the session's id filled in."""
    return str(session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
