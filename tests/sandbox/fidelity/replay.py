"""Recorded requests sent to the sandbox, which first is given what they refer to."""

import itertools
import json

from werkzeug.test import Client

from membership.sandbox.ways import WAYS
from tests.sandbox.fidelity import recordings
from tests.sandbox.fidelity.versions import LEFT_OUT, RENAMED_PARAMETERS

KEY = {"Authorization": "Bearer sk_test_fidelity"}
_DIALECT_OF_401 = {"Authorization": "Bearer <STRIPE_PRIVATE_KEY>"}


class Replay:
    """One file of recordings against a sandbox of its own. `known` maps Stripe's ids to those of the sandbox."""

    def __init__(self, sandbox, exchanges, everywhere):
        self.client = Client(sandbox)
        self.known = {}
        self.facts = {}
        self._everywhere = everywhere
        self._numbers = itertools.count()
        self._open_account(sandbox, exchanges)
        for exchange in exchanges:
            for found in recordings.objects(exchange.answer):
                self.facts.setdefault(found["id"], found)

    @staticmethod
    def _open_account(sandbox, exchanges):
        """The account as the recording found it: its time, the ways to pay that it has turned on, its habits."""
        sandbox.reset()
        if exchanges[0].at:
            sandbox.clock.offset = exchanges[0].at - int(sandbox.clock.real())
        offered = [
            name
            for exchange in exchanges
            for found in recordings.objects(exchange.answer)
            for name in found.get("payment_method_types") or []
        ]
        currencies = [
            found["currency"] for e in exchanges for found in recordings.objects(e.answer) if found.get("currency")
        ]
        habits = {"account_currency": currencies[0]} if currencies else {}
        known = [name for name in dict.fromkeys(["card", *offered]) if name in WAYS]
        # Stripe's test mode enters a charge that is captured asynchronously some seconds later.
        sandbox.change_settings(booking_seconds=60, **habits, **({"payment_methods": known} if offered else {}))

    def ask(self, exchange):
        """Send one recorded request; the status and the body of the sandbox's answer."""
        if exchange.status != 404:
            self._seed(exchange)
        path = "/".join(self._ours(part) for part in exchange.path.split("/"))
        params = [(_renamed(exchange.path, name), self._ours(value)) for name, value in exchange.params]
        params = [(name, value) for name, value in params if not name.startswith(LEFT_OUT)]
        headers = _DIALECT_OF_401 if exchange.status == 401 else KEY
        status, answer = self.send(exchange.method, path, params, headers)
        self._learn(exchange.answer, answer)
        return status, answer

    def send(self, method, path, params=(), headers=KEY):
        """Any request of the API."""
        where = "data" if method == "POST" else "query_string"
        more = {where: dict_of_lists(params)}
        reply = self.client.open(path, method=method, headers=headers, **more)
        return reply.status_code, json.loads(reply.get_data())

    def make(self, path, params):
        """Make something that a recording takes for granted."""
        status, answer = self.send("POST", path, list(params.items()))
        assert status == 200, (path, params, answer)
        return answer

    def _ours(self, text):
        return self.known.get(text, text)

    def _learn(self, recorded, ours):
        """Where Stripe's answer and ours have ids in the same place, they name the same thing."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for name in recorded.keys() & ours.keys():
                self._learn(recorded[name], ours[name])
        elif isinstance(recorded, list) and isinstance(ours, list):
            for one, other in zip(recorded, ours, strict=False):
                self._learn(one, other)
        elif isinstance(recorded, str) and isinstance(ours, str) and recordings.is_id(recorded):
            self.known.setdefault(recorded, ours)

    # Seeds ---------------------------------------------------------------------------------------------

    def _seed(self, exchange):
        """Make what the request names and nothing before it made."""
        for name, value in exchange.params:
            last = name.rstrip("]").rpartition("[")[2]
            if last in {"price", "plan"} and value not in self.known:
                self._seed_price(value)
        named = [word for word in exchange.values if recordings.is_id(word) and word not in self.known]
        for word in sorted(named, key=lambda word: not word.startswith("cus_")):
            make = getattr(self, "_seed_" + word.split("_", maxsplit=1)[0], None)
            if make and word not in self.known:
                make(word, exchange)

    def fact(self, object_id):
        """What this or another recording says of an object; an empty dict where none does."""
        return self.facts.get(object_id) or self._everywhere.get(object_id) or {}

    def _seed_price(self, price_id, _exchange=None):
        price = self.fact(price_id)
        recurring = price.get("recurring") or ({"interval": price["interval"]} if price.get("interval") else None)
        amount = price.get("unit_amount", price.get("amount", 1000))
        params = {"currency": price.get("currency", "usd"), "unit_amount": amount, "product_data[name]": "Recorded"}
        params |= {"nickname": price["nickname"]} if price.get("nickname") else {}
        if recurring:
            params |= {f"recurring[{name}]": recurring[name] for name in recurring if name.startswith("interval")}
        self.known[price_id] = self.make("/v1/prices", params)["id"]

    def _seed_prod(self, product_id, _exchange):
        self.known[product_id] = self.make("/v1/products", {"name": "Recorded"})["id"]

    def _seed_cus(self, customer_id, exchange):
        facts = self.fact(customer_id)
        params = {name: facts[name] for name in ("email", "name") if facts.get(name)}
        params["preferred_locales[0]"] = "en"
        if not facts.get("preferred_locales"):
            params.pop("preferred_locales[0]")
        customer = self.make("/v1/customers", params)
        self.known[customer_id] = customer["id"]
        self._give_card(customer["id"], facts)

    def _give_card(self, customer, facts):
        """A default method, where the recording says that the customer has one or has paid."""
        default = (facts.get("invoice_settings") or {}).get("default_payment_method")
        method = self.make("/v1/payment_methods/pm_card_visa/attach", {"customer": customer})
        if default:
            name = "invoice_settings[default_payment_method]"
            self.make(f"/v1/customers/{customer}", {name: method["id"]})
            self.known[default if isinstance(default, str) else default["id"]] = method["id"]

    def _customer_of(self, facts):
        named = facts.get("customer")
        named = named["id"] if isinstance(named, dict) else named
        if named is None:
            return None
        if named not in self.known:
            self._seed_cus(named, None)
        return self.known[named]

    def _seed_pm(self, method_id, exchange):
        owner = next((self.known.get(word) for word in exchange.values if word.startswith("cus_")), None)
        owner = owner or self._customer_of(self.fact(method_id))
        path = "/v1/payment_methods/pm_card_visa/attach"
        method = self.make(path, {"customer": owner}) if owner else self._bare_method(method_id)
        self.known[method_id] = method["id"]

    def _bare_method(self, method_id):
        kind = self.fact(method_id).get("type", "card")
        params = {"type": kind} | ({"card[token]": "tok_visa"} if kind == "card" else {})
        return self.make("/v1/payment_methods", params)

    def _seed_pi(self, intent_id, exchange):
        facts = self.fact(intent_id)
        if not facts:
            return
        params = {"amount": facts["amount"], "currency": facts["currency"]}
        customer = self._customer_of(facts)
        params |= {"customer": customer} if customer else {}
        charged = exchange.method == "GET" or not exchange.path.endswith("/confirm")
        if charged and facts["status"] in {"succeeded", "requires_capture"}:
            params |= {"confirm": "true", "payment_method": "pm_card_visa", "return_url": "https://example.org/"}
        if facts.get("capture_method") == "manual":
            params["capture_method"] = "manual"
        intent = self.make("/v1/payment_intents", params)
        self.known[intent_id] = intent["id"]
        charge = facts.get("latest_charge")
        if charge and intent["latest_charge"]:
            self.known[charge if isinstance(charge, str) else charge["id"]] = intent["latest_charge"]

    def _seed_ch(self, charge_id, exchange):
        facts = self.fact(charge_id)
        if not facts:
            return
        params = {"amount": facts["amount"], "currency": facts["currency"], "confirm": "true"}
        params |= {"payment_method": "pm_card_visa", "return_url": "https://example.org/"}
        customer = self._customer_of(facts)
        intent = self.make("/v1/payment_intents", params | ({"customer": customer} if customer else {}))
        self.known[charge_id] = intent["latest_charge"]
        if isinstance(facts.get("payment_intent"), str):
            self.known[facts["payment_intent"]] = intent["id"]

    def _seed_seti(self, intent_id, _exchange):
        customer = self._customer_of(self.fact(intent_id))
        self.known[intent_id] = self.make("/v1/setup_intents", {"customer": customer} if customer else {})["id"]

    def _seed_in(self, invoice_id, exchange):
        """A draft or open invoice with the lines that the recording shows."""
        facts = self.fact(invoice_id)
        if not facts:
            return
        customer = self._customer_of(facts)
        for line in facts["lines"]["data"]:
            params = {"customer": customer, "amount": line["amount"], "currency": line["currency"]}
            self.make(
                "/v1/invoiceitems", params | ({"description": line["description"]} if line["description"] else {})
            )
        invoice = self.make("/v1/invoices", {"customer": customer, "pending_invoice_items_behavior": "include"})
        self.known[invoice_id] = invoice["id"]
        if exchange.method == "GET" and facts["status"] == "paid":
            self.make(f"/v1/invoices/{invoice['id']}/pay", {})

    def _seed_sub(self, sub_id, _exchange):
        facts = self.fact(sub_id)
        if not facts:
            return
        customer = self._customer_of(facts)
        method = self.make("/v1/payment_methods/pm_card_visa/attach", {"customer": customer})
        params = {"customer": customer, "default_payment_method": method["id"]}
        for i, item in enumerate(facts["items"]["data"]):
            self._seed_price(item["price"]["id"])
            params |= {f"items[{i}][price]": self.known[item["price"]["id"]], f"items[{i}][quantity]": item["quantity"]}
        if facts["status"] == "trialing":
            params["trial_period_days"] = 15
        self._learn(facts, self.make("/v1/subscriptions", params))
        if not facts.get("default_payment_method"):
            self.make(f"/v1/subscriptions/{self.known[sub_id]}", {"default_payment_method": ""})


def dict_of_lists(params):
    """Fields by name, in the form that the test client sends."""
    found = {}
    for name, value in params:
        found.setdefault(name, []).append(str(value))
    return found


def _renamed(path, name):
    root, bracket, rest = name.partition("[")
    for (start, old), new in RENAMED_PARAMETERS.items():
        if path.startswith(start) and root == old:
            root = new
    return root + bracket + rest
