"""How a subscription begins: by the API, and at the end of Checkout."""

from membership.sandbox import cycle, drafts, invoicing, payments
from membership.sandbox.kinds import Obj, new_id
from membership.sandbox.payments import DAY
from membership.sandbox.protocol.errors import ApiError
from membership.sandbox.world import World, merge_metadata

_NOTHING = [
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "cancel_at",
    "canceled_at",
    "customer_account",
    "days_until_due",
    "default_payment_method",
    "default_source",
    "description",
    "ended_at",
    "latest_invoice",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "transfer_data",
    "trial_end",
    "trial_start",
    "status_details",
]


def found(
    world: World, customer: Obj, prices: list[tuple[Obj, int]], params: Obj, *, default_method: str | None
) -> Obj:
    """A new subscription over `prices` with their quantities, without an invoice and without its event.

    `params` may hold metadata, description, cancel_at(_period_end), trial_end or trial_period_days, and
    settings, as in the API. ApiError 400 where the prices do not fit together.
    """
    _check(prices)
    sub_id, trial_end = new_id("sub_"), _trial_end(world, params)
    fields: Obj = {
        "id": sub_id,
        **dict.fromkeys(_NOTHING),
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or world.now,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": world.now},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "currency": prices[0][0]["currency"],
        "customer": customer["id"],
        "default_payment_method": default_method,
        "default_tax_rates": [],
        "description": params.get("description") or None,
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list",
            "data": [make_item(world, sub_id, price, quantity) for price, quantity in prices],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={sub_id}",
        },
        "metadata": merge_metadata({}, params.get("metadata")),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
            **(params.get("payment_settings") or {}),
        },
        "start_date": world.now,
        "status": "incomplete",
        "test_clock": customer["test_clock"],
        "trial_settings": params.get("trial_settings")
        or {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }
    sub = world.add("subscription", fields)
    _begin(world, sub, params, trial_end)
    customer["currency"] = customer["currency"] or sub["currency"]
    return sub


def _check(prices: list[tuple[Obj, int]]) -> None:
    first = prices[0][0]
    for i, (price, _) in enumerate(prices):
        at = f"items[{i}][price]"
        if price["type"] != "recurring":
            raise ApiError(
                "The price specified is set to `type=one_time` but this field only accepts prices with"
                " `type=recurring`.",
                param=at,
            )
        if price["currency"] != first["currency"] or price["recurring"] != first["recurring"]:
            raise ApiError("The sandbox wants one currency and one interval in a subscription.", param=at)


def _trial_end(world: World, params: Obj) -> int | None:
    at = params.get("trial_end")
    if at == "now":
        return None
    if at is None and params.get("trial_period_days"):
        at = world.now + int(params["trial_period_days"]) * DAY
    if at is not None and at <= world.now:
        raise ApiError("trial_end must lie in the future.", param="trial_end")
    return at


def make_item(world: World, sub_id: str, price: Obj, quantity: int) -> Obj:
    """An item of a subscription, without its period yet."""
    from membership.sandbox.resources import subscription_items

    item_id = new_id("si_", 14)
    subscription_items.remember(world, item_id, sub_id)
    return {
        "id": item_id,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now,
        "current_period_end": world.now,
        "current_period_start": world.now,
        "discounts": [],
        "metadata": {},
        "plan": plan(price),
        "price": price_now(price),
        "quantity": quantity,
        "subscription": sub_id,
        "tax_rates": [],
    }


def price_now(price: Obj) -> Obj:
    """The price as it stands in an item."""
    return {name: value for name, value in price.items() if name[0] != "_"}


def plan(price: Obj) -> Obj:
    """The older name of a recurring price, which items still carry."""
    same = [
        "id",
        "active",
        "billing_scheme",
        "created",
        "currency",
        "livemode",
        "metadata",
        "nickname",
        "product",
        "tiers_mode",
    ]
    return {name: price[name] for name in same} | {
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "meter": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _begin(world: World, sub: Obj, params: Obj, trial_end: int | None) -> None:
    if trial_end:
        sub |= {"status": "trialing", "trial_start": world.now, "trial_end": trial_end, "_n": -1}
        for item in sub["items"]["data"]:
            item |= {"current_period_start": world.now, "current_period_end": trial_end}
        world.schedule(sub, "renew", trial_end)
        world.schedule(sub, "trial_will_end", max(trial_end - 3 * DAY, world.now))
    else:
        cycle.set_period(world, sub, 0)
    if params.get("cancel_at_period_end"):
        sub |= {"cancel_at_period_end": True, "cancel_at": cycle.period(sub)[1], "canceled_at": world.now}
    elif params.get("cancel_at"):
        sub |= {"cancel_at": params["cancel_at"], "canceled_at": world.now}
    if sub["cancel_at"]:
        world.schedule(sub, "cancel", sub["cancel_at"])


def first_invoice(world: World, sub: Obj, customer: Obj, behavior: str) -> None:
    """Make and, unless `behavior` is default_incomplete, collect the first invoice; then the created event.

    ApiError 400 where there is nothing to charge, 402 for a refusal under error_if_incomplete.
    """
    from membership.sandbox.resources import invoices, payment_methods

    trialing = sub["status"] == "trialing"
    method = payment_methods.of_customer(world, customer, sub["default_payment_method"])
    if method is None and not trialing and behavior != "default_incomplete":
        raise invoices.no_method(customer)
    invoice = draft_first(world, sub, customer)
    sub["_quiet"] = True
    invoicing.finalize(world, invoice)
    if invoice["status"] == "open" and behavior != "default_incomplete" and method is not None:
        result = invoicing.attempt(world, invoice, method, on_session=behavior != "error_if_incomplete")
        intent = world.store.get(invoice["_intent"])
        if behavior == "error_if_incomplete" and result == "declined" and intent:
            raise payments.card_error(world, intent, keeps_work=False)
    sub.pop("_quiet", None)
    if sub["status"] == "incomplete":
        world.schedule(sub, "expire_incomplete", world.now + cycle.INCOMPLETE_SECONDS)
    world.emit("customer.subscription.created", sub)


def draft_first(world: World, sub: Obj, customer: Obj) -> Obj:
    """The first invoice as a draft, with its event; of a trial it is over nothing."""
    invoice = drafts.draft(world, customer, sub["currency"], "subscription_create", sub=sub)
    drafts.take_pending(world, invoice, sub["id"])
    is_free = sub["status"] == "trialing"
    new = free_lines(world, invoice["id"], sub) if is_free else cycle.period_lines(world, invoice["id"], sub)
    drafts.put_lines(invoice, new)
    sub["latest_invoice"] = invoice["id"]
    world.emit("invoice.created", invoice)
    return invoice


def free_lines(world: World, invoice_id: str, sub: Obj) -> list[Obj]:
    """One line an item for a trial, over nothing."""
    found = cycle.period_lines(world, invoice_id, sub)
    for line in found:
        line |= {"amount": 0, "subtotal": 0, "description": f"Free trial for {line['description']}"}
        line["pricing"] = line["pricing"] | {"unit_amount_decimal": "0"}
    return found
