"""Answers have the shape of the pinned version: only fields that the SDK knows, and all that it needs."""

import json

import pytest
import requests


@pytest.fixture
def shapes(shared):
    return json.loads((shared / "data/stripe/sdk-16.1.0-shapes.json").read_text())["resources"]


# The SDK's types name these only in one of two places, or Stripe leaves them out of what it lists.
ALLOWED = {("checkout.session", "payment_method_configuration_details")}


def differences(obj, shapes, path=""):
    """Fields too many and fields too few of an object and of the objects inside it."""
    found = []
    if isinstance(obj, list):
        for item in obj:
            found += differences(item, shapes, path)
        return found
    if not isinstance(obj, dict):
        return found
    kind = obj.get("object")
    shape = shapes.get(kind) if isinstance(kind, str) else None
    if shape and not obj.get("deleted"):
        names = {name: facts for name, facts in shape.items() if "::" not in name}
        found += [f"{kind}: {name} is not known" for name in obj.keys() - names.keys()]
        found += [
            f"{kind}: {name} is missing"
            for name, facts in names.items()
            if not facts["nullable"] and name not in obj and (kind, name) not in ALLOWED
        ]
        found += [
            f"{kind}: {name} is null"
            for name, facts in names.items()
            if name in obj and obj[name] is None and not facts["nullable"]
        ]
        found += [
            f"{kind}: {name} is {obj[name]!r}"
            for name, facts in names.items()
            if "known_values" in facts and isinstance(obj.get(name), str) and obj[name] not in facts["known_values"]
        ]
    for name, value in obj.items():
        found += differences(value, shapes, f"{path}.{name}")
    return found


def test_objects_have_the_fields_of_the_sdk_and_no_others(client, base, supporter, control, shapes):
    session = supporter("4000 0000 0000 0259")
    gift = client.payment_intents.create(
        {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )
    client.refunds.create({"payment_intent": gift.id})
    control("advance", months=1, days=1)
    supporter("4000 0000 0000 0341")
    control("advance", months=1, days=1)
    client.billing_portal.sessions.create({"customer": session.customer})
    client.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
    client.setup_intents.create({"customer": session.customer, "payment_method": "pm_card_visa", "confirm": True})
    client.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["charge.refunded"]})
    client.invoice_items.create({"customer": session.customer, "amount": 100, "currency": "eur"})
    found, kinds = set(), set()
    for path in [
        "customers",
        "products",
        "prices",
        "payment_methods",
        "payment_intents",
        "setup_intents",
        "charges",
        "balance_transactions",
        "refunds",
        "disputes",
        "invoices",
        "invoiceitems",
        "invoice_payments",
        "subscriptions",
        "checkout/sessions",
        "events",
        "webhook_endpoints",
        "test_helpers/test_clocks",
        "billing_portal/configurations",
    ]:
        answer = requests.get(
            f"{base}/v1/{path}?limit=100", headers={"Authorization": "Bearer sk_test_x"}, timeout=20
        ).json()
        assert answer["data"], path
        kinds |= {item["object"] for item in answer["data"]}
        found |= set(differences(answer["data"], shapes))
    assert sorted(found) == []
    assert len(kinds) >= 18
