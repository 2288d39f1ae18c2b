"""What can be set about the sandbox's behaviour, as a Dashboard would."""

from dataclasses import dataclass
from typing import Literal

from membership.sandbox.webhooks.retries import Schedule


@dataclass(frozen=True)
class Settings:
    """How failed renewals go on, and how long slow payments take. All spans are in days of sandbox time.

    A renewal that fails is tried again after each of `retry_days`, counted from the attempt before; after the
    last one the subscription becomes `after_retries`. `webhook_retries` says how events are sent again that were not
    taken (`webhooks.retries`). `booking_seconds` lie between a charge that is captured asynchronously and its entry
    in the balance (at Stripe some seconds up to an hour). `account_currency` is that of invoices for which nothing
    else says it. `payment_methods` are those that the account has turned on (`ways.WAYS`), cards first; debits are
    not among them until a tester turns them on or a call asks for them.
    """

    retry_days: tuple[int, ...] = (3, 5, 7)
    after_retries: Literal["canceled", "unpaid", "past_due", "paused"] = "canceled"
    debit_days: int = 5
    booking_seconds: int = 0
    webhook_retries: Schedule = "patient"
    account_name: str = "Sandbox newsroom"
    account_currency: str = "eur"
    payment_methods: tuple[str, ...] = (
        "card",
        "acss_debit",
        "afterpay_clearpay",
        "alipay",
        "bancontact",
        "cashapp",
        "ideal",
        "klarna",
        "link",
        "us_bank_account",
        "wechat_pay",
    )
