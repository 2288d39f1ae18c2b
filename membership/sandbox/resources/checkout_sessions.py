"""Checkout Sessions: the calls of the API. The page is in `pages/checkout.py`, paying in `sandbox/checkout.py`."""

from stripe.params.checkout._session_create_params import SessionCreateParams
from stripe.params.checkout._session_expire_params import SessionExpireParams
from stripe.params.checkout._session_line_item_list_params import SessionLineItemListParams
from stripe.params.checkout._session_list_params import SessionListParams
from stripe.params.checkout._session_retrieve_params import SessionRetrieveParams
from stripe.params.checkout._session_update_params import SessionUpdateParams

from membership.sandbox import checkout, money, opening
from membership.sandbox.kinds import KINDS, Kind, Obj, declare, new_id
from membership.sandbox.protocol.errors import missing
from membership.sandbox.protocol.listing import PAGING, list_object, page
from membership.sandbox.protocol.reading import retrieval
from membership.sandbox.protocol.routes import operation
from membership.sandbox.resources import prices, setup_intents
from membership.sandbox.world import World, merge_metadata


def _line_items(_world: World, session: Obj) -> Obj:
    return list_object(f"/v1/checkout/sessions/{session['id']}/line_items", session.get("_lines", []))


KIND = declare(
    Kind(
        "checkout.session",
        "cs_test_",
        "/v1/checkout/sessions",
        "checkout.session",
        filters={
            "customer": "$.customer",
            "payment_intent": "$.payment_intent",
            "subscription": "$.subscription",
            "status": "$.status",
            "intent": "$._intent",
        },
        indexed=("customer", "payment_intent", "subscription", "intent"),
        lazy={"line_items": _line_items},
    )
)
_LINES = "line_items.price line_items.quantity " + prices.inline_accepts("line_items.price_data")
_ACCEPTS = (
    "mode success_url cancel_url client_reference_id metadata customer customer_email customer_creation locale"
    " submit_type expires_at currency ui_mode adaptive_pricing.enabled allowed_payment_method_types"
    " payment_method_collection customer_update.name customer_update.address billing_address_collection"
    " allow_promotion_codes custom_text"
    " payment_intent_data.metadata payment_intent_data.description payment_intent_data.receipt_email"
    " payment_intent_data.setup_future_usage setup_intent_data.metadata setup_intent_data.description"
    " saved_payment_method_options payment_intent_data.capture_method"
    " subscription_data.metadata subscription_data.description subscription_data.trial_period_days"
    " subscription_data.trial_end subscription_data.trial_settings subscription_data.billing_mode"
)


@operation("POST /v1/checkout/sessions", SessionCreateParams, f"{_ACCEPTS} {_LINES}")
def create(world: World, params: Obj) -> Obj:
    """Open a session with a hosted page of its own, for 30 minutes to 24 hours (24 by default)."""
    mode = params.get("mode")
    if not mode:
        raise missing("mode")
    opening.check(world, params, mode)
    customer = world.need("customer", params["customer"], "customer") if params.get("customer") else None
    lines = [
        opening.line(world, line, f"line_items[{i}]", mode) for i, line in enumerate(params.get("line_items") or [])
    ]
    opening.check_lines(params, lines, mode)
    total = sum(line["amount_total"] for line in lines) if mode != "setup" else None
    trial = (params.get("subscription_data") or {}).keys() & {"trial_period_days", "trial_end"}
    due = 0 if trial else total
    currency = lines[0]["currency"] if lines else (params.get("currency") or "").lower() or None
    if due and currency:
        money.check_smallest(due, currency, "line_items")
    session_id = new_id(KIND.prefix + "a1", 56)
    fields = opening.shape(world, params, mode, customer, currency) | {
        "id": session_id,
        "amount_subtotal": due,
        "amount_total": due,
        "currency": currency,
        "url": f"{world.public_url}/c/pay/{session_id}",
        "_lines": lines,
        "_intent": None,
        "_method": None,
        "_intent_data": params.get("payment_intent_data") or {},
        "_sub_data": params.get("subscription_data") or {},
    }
    if mode == "setup":
        data = params.get("setup_intent_data") or {}
        fields["setup_intent"] = setup_intents.make(
            world,
            fields["customer"],
            fields["payment_method_types"],
            description=data.get("description"),
            metadata=merge_metadata({}, data.get("metadata")),
        )["id"]
    session = world.add(KIND, fields)
    world.schedule(session, "expire_session", session["expires_at"])
    return session


retrieval(KIND, SessionRetrieveParams)


@operation("POST /v1/checkout/sessions/{id}", SessionUpdateParams, "metadata", subject=KIND)
def update(_world: World, params: Obj, session: Obj) -> Obj:
    """Change a session's metadata."""
    session["metadata"] = merge_metadata(session["metadata"], params.get("metadata"))
    return session


@operation("POST /v1/checkout/sessions/{id}/expire", SessionExpireParams, subject=KIND)
def expire(world: World, _params: Obj, session: Obj) -> Obj:
    """Close an open session."""
    checkout.expire(world, session)
    return session


@operation("GET /v1/checkout/sessions/{id}/line_items", SessionLineItemListParams, PAGING, subject=KIND)
def list_line_items(world: World, _params: Obj, session: Obj) -> Obj:
    """What is bought."""
    return _line_items(world, session)


@operation(
    "GET /v1/checkout/sessions",
    SessionListParams,
    f"{PAGING} customer payment_intent subscription status customer_details.email",
)
def list_all(world: World, params: Obj) -> Obj:
    """Sessions, newest first."""
    details = params.pop("customer_details", None)
    answer = page(world, KIND, params)
    if details:
        answer["data"] = [s for s in answer["data"] if (s["customer_details"] or {}).get("email") == details["email"]]
    return answer


def after_settling(world: World, intent: Obj, *, paid: bool) -> None:
    """A slow payment of a completed session arrived or was returned."""
    for session in world.store.find(KINDS["checkout.session"], {"intent": intent["id"]}, limit=1):
        if session["status"] != "complete" or session["payment_status"] != "unpaid":
            continue
        session["payment_status"] = "paid" if paid else "unpaid"
        name = "succeeded" if paid else "failed"
        world.emit(f"checkout.session.async_payment_{name}", session)
