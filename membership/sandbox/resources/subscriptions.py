"""Subscriptions: the calls of the API. What happens to one by itself is in `sandbox/cycle.py`."""

from stripe.params._subscription_cancel_params import SubscriptionCancelParams
from stripe.params._subscription_create_params import SubscriptionCreateParams
from stripe.params._subscription_list_params import SubscriptionListParams
from stripe.params._subscription_pause_params import SubscriptionPauseParams
from stripe.params._subscription_resume_params import SubscriptionResumeParams
from stripe.params._subscription_retrieve_params import SubscriptionRetrieveParams
from stripe.params._subscription_update_params import SubscriptionUpdateParams

from membership.sandbox import cycle, founding, lines, revision
from membership.sandbox.cycle import end
from membership.sandbox.kinds import Kind, Obj, declare
from membership.sandbox.protocol.errors import ApiError, missing, unexpected_state
from membership.sandbox.protocol.listing import PAGING, page
from membership.sandbox.protocol.reading import retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import invoice_items, payment_methods, prices
from membership.sandbox.world import World, merge_metadata, snapshot

KIND = declare(
    Kind(
        "subscription",
        "sub_",
        "/v1/subscriptions",
        "subscription",
        filters={
            "customer": "$.customer",
            "status": "$.status",
            "price": "$.items.data[0].price.id",
            "collection_method": "$.collection_method",
            "test_clock": "$.test_clock",
        },
        indexed=("customer", "status"),
    )
)
_ITEMS = "items.price items.plan items.quantity items.metadata " + prices.inline_accepts("items.price_data")
_ADDED = "add_invoice_items.price add_invoice_items.quantity add_invoice_items.metadata " + prices.inline_accepts(
    "add_invoice_items.price_data"
)
_WRITABLE = (
    "cancel_at cancel_at_period_end default_payment_method description metadata payment_behavior off_session"
    " collection_method trial_settings payment_settings.save_default_payment_method"
    " payment_settings.payment_method_types proration_behavior"
)


@operation(
    "POST /v1/subscriptions",
    SubscriptionCreateParams,
    f"{_ITEMS} {_WRITABLE} {_ADDED} customer currency trial_end trial_period_days billing_mode",
)
def create(world: World, params: Obj) -> Obj:
    """Begin a subscription and collect its first invoice, as `payment_behavior` says."""
    if not params.get("customer"):
        raise missing("customer")
    if not params.get("items"):
        raise missing("items")
    _check_ways(params)
    customer = world.need("customer", params["customer"], "customer")
    found = [
        (prices.resolve(world, line, f"items[{i}]"), line.get("quantity", 1)) for i, line in enumerate(params["items"])
    ]
    chosen = params.get("default_payment_method")
    if chosen:
        chosen = payment_methods.resolve(world, chosen, "default_payment_method")["id"]
    sub = founding.found(world, customer, found, params, default_method=chosen or None)
    _add_items(world, sub, customer, params)
    founding.first_invoice(world, sub, customer, params.get("payment_behavior", "allow_incomplete"))
    return sub


def _add_items(world: World, sub: Obj, customer: Obj, params: Obj) -> None:
    """Further items for the next invoice of a subscription, such as a gift with the first month."""
    start, end = cycle.period(sub)
    for i, given in enumerate(params.get("add_invoice_items") or []):
        price, quantity = prices.resolve(world, given, f"add_invoice_items[{i}]"), given.get("quantity", 1)
        product = world.store.get(price["product"])
        invoice_items.make(
            world,
            customer,
            price["unit_amount"] * quantity,
            price["currency"],
            description=product["name"] if product else None,
            metadata=merge_metadata({}, given.get("metadata")),
            parent={"subscription_details": {"subscription": sub["id"]}, "type": "subscription_details"},
            period={"end": end, "start": start},
            pricing=lines.pricing(price),
            quantity=quantity,
            quantity_decimal=str(quantity),
        )


def _check_ways(params: Obj) -> None:
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise ApiError("The sandbox collects automatically only.", param="collection_method")
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise ApiError("The sandbox has no pending updates.", param="payment_behavior")
    if (params.get("billing_mode") or {"type": "flexible"})["type"] != "flexible":
        raise ApiError("The sandbox bills in flexible mode only.", param="billing_mode[type]")


retrieval(KIND, SubscriptionRetrieveParams)


@operation(
    "POST /v1/subscriptions/{id}",
    SubscriptionUpdateParams,
    f"{_ITEMS} {_WRITABLE} {_ADDED} items.id items.deleted pause_collection proration_date cancellation_details"
    " trial_end billing_cycle_anchor",
    subject=KIND,
)
def update(world: World, params: Obj, sub: Obj) -> Obj:
    """Change a subscription; `proration_behavior` says whether a change of price is settled now, later or never."""
    if sub["status"] in cycle.ENDED:
        allowed = {"metadata", "cancellation_details"}
        if set(params) - allowed:
            raise unexpected_state("A canceled subscription can only update its cancellation_details and metadata.")
    _check_ways(params)
    before = snapshot(sub)
    _write(world, sub, params)
    if params.get("add_invoice_items"):
        _add_items(world, sub, world.need("customer", sub["customer"], "customer"), params)
    if params.get("items") or params.get("billing_cycle_anchor") or params.get("trial_end"):
        revision.revise(world, sub, params)
    _plan_end(world, sub, params)
    if "pause_collection" in params:
        _pause_collection(world, sub, params["pause_collection"])
    world.emit("customer.subscription.updated", sub, before)
    return sub


def _write(world: World, sub: Obj, params: Obj) -> None:
    sub["metadata"] = merge_metadata(sub["metadata"], params.get("metadata"))
    if "default_payment_method" in params:
        name = params["default_payment_method"]
        method = payment_methods.resolve(world, name, "default_payment_method") if name else None
        if method and method["customer"] != sub["customer"]:
            raise ApiError(
                f"The customer does not have a payment method with the ID {name}.",
                code="resource_missing",
                param="default_payment_method",
            )
        sub["default_payment_method"] = method["id"] if method else None
    if "description" in params:
        sub["description"] = params["description"] or None
    sub["payment_settings"] = sub["payment_settings"] | (params.get("payment_settings") or {})
    sub["trial_settings"] = sub["trial_settings"] | (params.get("trial_settings") or {})
    details = params.get("cancellation_details") or {}
    sub["cancellation_details"] = sub["cancellation_details"] | {k: v or None for k, v in details.items()}


def _plan_end(world: World, sub: Obj, params: Obj) -> None:
    """Set or take back an end that lies ahead."""
    if "cancel_at_period_end" not in params and "cancel_at" not in params:
        return
    if params.get("cancel_at_period_end") and params.get("cancel_at"):
        raise ApiError("cancel_at and cancel_at_period_end exclude each other.", code="parameters_exclusive")
    at = _end_asked_for(sub, params)
    if at is not None and at <= world.now:
        raise ApiError("cancel_at must lie in the future.", param="cancel_at")
    sub["cancel_at"] = at
    sub["cancel_at_period_end"] = bool(params.get("cancel_at_period_end"))
    sub["canceled_at"] = world.now if at else None
    sub["cancellation_details"]["reason"] = "cancellation_requested" if at else None
    if at is None:
        sub["cancellation_details"] |= {"comment": None, "feedback": None}
    world.schedule(sub, "cancel", at)


def _end_asked_for(sub: Obj, params: Obj) -> int | None:
    period_end = cycle.period(sub)[1]
    if params.get("cancel_at_period_end"):
        return period_end
    asked = params.get("cancel_at")
    if asked in {"min_period_end", "max_period_end"}:
        return period_end
    return int(asked) if asked else None


def _pause_collection(world: World, sub: Obj, wanted: Obj | str) -> None:
    if not wanted or isinstance(wanted, str):
        sub["pause_collection"] = None
        world.schedule(sub, "resume_collection", None)
        return
    resumes_at = wanted.get("resumes_at")
    if resumes_at is not None and resumes_at <= world.now:
        raise ApiError("resumes_at must lie in the future.", param="pause_collection[resumes_at]")
    sub["pause_collection"] = {"behavior": wanted["behavior"], "resumes_at": resumes_at}
    world.schedule(sub, "resume_collection", resumes_at)


@operation(
    "DELETE /v1/subscriptions/{id}", SubscriptionCancelParams, "cancellation_details invoice_now prorate", subject=KIND
)
def cancel(world: World, params: Obj, sub: Obj) -> Obj:
    """End a subscription now; with `prorate` unused time is credited, and `invoice_now` settles what is pending."""
    if sub["status"] in cycle.ENDED:
        raise ApiError(f"No such subscription: '{sub['id']}'", status=404, code="resource_missing", param="id")
    details = params.get("cancellation_details") or {}
    sub["cancellation_details"] = sub["cancellation_details"] | {k: v or None for k, v in details.items()}
    status = "incomplete_expired" if sub["status"] == "incomplete" else "canceled"
    revision.settle_end(world, sub, params)
    end(world, sub, status, reason="cancellation_requested")
    return sub


@operation("POST /v1/subscriptions/{id}/pause", SubscriptionPauseParams, "type", subject=KIND)
def pause(world: World, _params: Obj, sub: Obj) -> Obj:
    """Pause a subscription on demand: no invoices until it is resumed. Time that was paid for is not given back."""
    if sub["status"] not in {"active", "trialing", "past_due"}:
        raise unexpected_state(f"A subscription that is {sub['status']} cannot be paused.")
    before = snapshot(sub)
    sub["status"] = "paused"
    sub["status_details"] = cycle.paused_details("pause_requested", world.now)
    world.schedule(sub, "renew", None)
    world.emit("customer.subscription.updated", sub, before)
    world.emit("customer.subscription.paused", sub)
    return sub


@operation(
    "POST /v1/subscriptions/{id}/resume",
    SubscriptionResumeParams,
    "billing_cycle_anchor payment_behavior proration_behavior",
    subject=KIND,
)
def resume(world: World, params: Obj, sub: Obj) -> Obj:
    """Take a paused subscription up again.

    With the anchor unchanged it goes on in its period, or in a new one that is charged where that has passed.
    """
    if sub["status"] != "paused":
        raise unexpected_state(f"Only a paused subscription can be resumed; this one is {sub['status']}.")
    anchor = (params.get("billing_cycle_anchor") or {"type": "unchanged"})["type"]
    before = snapshot(sub)
    sub["status"], sub["status_details"] = "active", None
    revision.restart(world, sub, from_now=anchor == "now")
    world.emit("customer.subscription.updated", sub, before)
    world.emit("customer.subscription.resumed", sub)
    return sub


@operation(
    "GET /v1/subscriptions", SubscriptionListParams, f"{PAGING} customer status price collection_method test_clock"
)
def list_all(world: World, params: Obj) -> Obj:
    """Subscriptions, newest first; without `status` those that have not ended, `all` for every one."""
    status = params.pop("status", None)
    where: Obj = {}
    if status is None:
        where["status"] = ["incomplete", "trialing", "active", "past_due", "unpaid", "paused"]
    elif status == "ended":
        where["status"] = ["canceled", "incomplete_expired"]
    elif status != "all":
        where["status"] = status
    if not params.get("customer") and not params.get("test_clock"):
        where["test_clock"] = None
    return page(world, KIND, params, where)
