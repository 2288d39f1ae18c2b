"""Which status may follow which, read from the events that the sandbox recorded."""

LEGAL = {
    "subscription": {
        None: {"incomplete", "trialing", "active"},
        "incomplete": {"active", "incomplete_expired", "canceled", "past_due"},
        "trialing": {"active", "past_due", "paused", "canceled", "unpaid"},
        "active": {"past_due", "unpaid", "paused", "canceled"},
        "past_due": {"active", "unpaid", "paused", "canceled"},
        "unpaid": {"active", "canceled"},
        "paused": {"active", "past_due", "unpaid", "canceled"},
    },
    "invoice": {
        None: {"draft"},
        "draft": {"open", "paid", "void"},
        "open": {"paid", "void", "uncollectible"},
        "uncollectible": {"paid", "void"},
    },
    "payment_intent": {
        None: {"requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded"},
        "requires_payment_method": {"requires_confirmation", "requires_action", "processing", "succeeded", "canceled"},
        "requires_confirmation": {"requires_payment_method", "requires_action", "processing", "succeeded", "canceled"},
        "requires_action": {"requires_payment_method", "processing", "succeeded", "canceled"},
        "processing": {"succeeded", "requires_payment_method", "canceled"},
    },
    "charge": {None: {"pending", "succeeded", "failed"}, "pending": {"succeeded", "failed"}},
    "refund": {
        None: {"pending", "succeeded"},
        "pending": {"succeeded", "failed", "canceled"},
        "succeeded": {"failed"},
    },
    "dispute": {
        None: {"needs_response", "warning_needs_response", "prevented"},
        "warning_needs_response": {"warning_under_review", "warning_closed", "needs_response"},
        "warning_under_review": {"warning_closed", "needs_response"},
        "needs_response": {"under_review", "won", "lost"},
        "under_review": {"won", "lost"},
        "lost": {"appeal_needs_response"},
        "appeal_needs_response": {"appeal_under_review", "won", "lost"},
        "appeal_under_review": {"won", "lost"},
    },
}


def check_statuses(client):
    """Every status follows from the one before, `previous_attributes` names that one, and none changed in silence."""
    last = {}
    events = list(client.events.list({"limit": 100}).auto_paging_iter())
    for event in reversed(events):
        obj = event.data.object
        legal = LEGAL.get(obj.object)
        if legal is None:
            continue
        status, before = obj.status, last.get(obj.id)
        facts = (obj.object, obj.id, event.type, before, status)
        assert status == before or status in legal.get(before, ()), facts
        previous = event.data.get("previous_attributes") if hasattr(event.data, "get") else None
        previous = previous or getattr(event.data, "previous_attributes", None)
        if previous is not None and event.type.endswith(".updated"):
            was = previous.to_dict().get("status")
            assert (was or status) == before, facts
        last[obj.id] = status
    for name, status in last.items():
        kind = {"sub": "subscriptions", "dp": "disputes", "re": "refunds", "ch": "charges", "pi": "payment_intents"}
        prefix = name.split("_")[0]
        if prefix in kind:
            assert getattr(client, kind[prefix]).retrieve(name).status == status, name
