"""Reading the card form, which the checkout, the portal and the invoice page share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from membership.sandbox import cards

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_EXPIRY = re.compile(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*")


@dataclass
class CardForm:
    """What was typed: `values` to show again (never the card), `errors` by field name, and the card if all is well."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    card: cards.Card | None = None
    expires: tuple[int, int] = (12, 2030)

    @property
    def email(self) -> str | None:
        """The typed address."""
        return self.values["email"] or None

    @property
    def name(self) -> str | None:
        """The typed name."""
        return self.values["billingName"] or None


def read(
    form: Mapping[str, str], *, now_year_month: tuple[int, int], email_wanted: bool, debit_offered: bool
) -> CardForm:
    """Read and check the form; the errors are names of texts."""
    typed = {
        name: form.get(name, "").strip()
        for name in ("email", "billingName", "cardNumber", "cardExpiry", "cardCvc", "iban")
    }
    result = CardForm({name: typed[name] for name in ("email", "billingName")})
    if email_wanted and not _EMAIL.fullmatch(typed["email"]):
        result.errors["email"] = "bad_email"
    if debit_offered and typed["iban"]:
        result.card = cards.by_number(typed["iban"])
        if result.card is None or result.card.kind != "sepa_debit":
            result.errors["iban"] = "bad_iban"
        return result
    result.card = cards.by_number(typed["cardNumber"])
    if result.card is None or result.card.kind != "card":
        result.errors["cardNumber"] = "bad_number"
    expires = _expiry(typed["cardExpiry"])
    if expires is None or (expires[1], expires[0]) < now_year_month:
        result.errors["cardExpiry"] = "bad_expiry"
    else:
        result.expires = expires
    if not re.fullmatch(r"\d{3,4}", typed["cardCvc"]):
        result.errors["cardCvc"] = "bad_cvc"
    return result


def _expiry(text: str) -> tuple[int, int] | None:
    match = _EXPIRY.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= 12:  # noqa: PLR2004 - digits, months or places
        return None
    year = int(match[2])
    return int(match[1]), year + 2000 if year < 100 else year  # noqa: PLR2004 - digits, months or places
