"""What of the recordings the sandbox does not cover, and why."""

from tests.sandbox.fidelity import recordings

# Addresses (their beginnings) that the sandbox does not serve, each with the reason.
NOT_SERVED = {
    "/v1/accounts": "Connect: the newsroom has one account, its own",
    "/v1/application_fees": "Connect: nobody takes a share of a gift",
    "/v1/billing": "meters and credits: nothing is sold by use",
    "/v1/coupons": "discounts: an amount is chosen freely",
    "/v1/credit_notes": "credit notes: money goes back by refunds",
    "/v1/customer_sessions": "embedded components: the payment page is Stripe's",
    "/v1/ephemeral_keys": "mobile apps: there are none",
    "/v1/payment_links": "payment links: amounts are chosen on our own page",
    "/v1/payment_method_domains": "embedded wallets: the payment page is Stripe's",
    "/v1/plans": "plans: prices have taken their place",
    "/v1/promotion_codes": "discounts: an amount is chosen freely",
    "/v1/quotes": "quotes: gifts are not quoted",
    "/v1/sources": "sources: payment methods have taken their place",
    "/v1/subscription_schedules": "schedules: changes are made when they are due",
    "/v1/tax": "Stripe Tax: gifts are not taxed here",
    "/v1/tax_rates": "Stripe Tax: gifts are not taxed here",
    "/v1/terminal": "card readers: there are none",
    "/v1/tokens": "tokens: card numbers never reach the newsroom",
    "/v1/transfers": "Connect: nothing is passed on to other accounts",
}


def not_covered(exchange, known=()):
    """Why the sandbox does not cover an exchange; None where it does. `known` are the ids made so far."""
    for start, reason in NOT_SERVED.items():
        if exchange.path == start or exchange.path.startswith(start + "/"):
            return reason
    if any(name.startswith(("discounts", "coupon", "promotion_code")) for name, _ in exchange.params):
        return NOT_SERVED["/v1/coupons"]
    if any(found.get("total_discount_amounts") for found in recordings.objects(exchange.answer)):
        return NOT_SERVED["/v1/coupons"]
    if any(found.get("application") for found in recordings.objects(exchange.answer)):
        return NOT_SERVED["/v1/accounts"]
    if exchange.status == 404 and exchange.path.rpartition("/")[2] in known and exchange.method == "GET":
        return NOT_SERVED["/v1/accounts"]
    return None
