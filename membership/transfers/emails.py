"""The mails of transfers. Neither says thanks: no money has come when they leave."""

from datetime import UTC, datetime
from typing import Any

from membership.kernel.errors import NotFound
from membership.kernel.money import Money
from membership.mail.catalogue import mail
from membership.mail.stopping import stop_url
from membership.newsroom.queries import newsroom, ways
from membership.newsroom.rules.ways import grouped
from membership.transfers.queries import Announced, get_announced_by_id
from membership.web.links import absolute

_EXAMPLE = {
    "newsroom_name": "The Harbour Post",
    "way": "bank",
    "rhythm": "monthly",
    "amount": Money(800, "EUR"),
    "code": "HP-7K2M-4Q9",
    "lapses_at": datetime(2027, 4, 30, 12, tzinfo=UTC),
    "creditor_reference": "RF28HP7K2M4Q9",
    "holder": "The Harbour Post",
    "iban": "DE89 3704 0044 0532 0130 00",
    "bic": "COBADEFFXXX",
    "bank": "Harbour Bank",
    "paypal_link": "https://paypal.me/harbourpost",
    "page_url": "https://join.example.org/support/declared/con_7x2",
}


@mail("transfers/announced", example=_EXAMPLE)
def announced(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """To who said that money will come: the account and the code to write into the transfer. No thanks yet."""
    return _context(args, at)


@mail("transfers/reminder", example=_EXAMPLE | {"stop_url": "https://join.example.org/mail/stop/7x2"})
def reminder(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """The same again, once, 14 days later, where no money came and nobody said that it will not."""
    context = _context(args, at)
    if context is not None:
        context["stop_url"] = stop_url("transfer", int(args["declaration_id"]), 0)
    return context


def _context(args: dict[str, int | str], at: datetime) -> dict[str, Any] | None:
    """None where the money is here, the giver withdrew, its time is over, or the announcement is gone."""
    try:
        found = get_announced_by_id(int(args["declaration_id"]))
    except NotFound:
        return None
    row = found.declaration
    is_over = not found.contribution.is_unpaid or row.withdrawn_at is not None or row.lapses_at <= at
    return None if is_over else describe(found)


def describe(found: Announced) -> dict[str, Any]:
    """What pages and mails say of an announcement."""
    known = ways()
    return {
        "newsroom_name": newsroom().name,
        "way": found.contribution.way,
        "rhythm": found.declaration.rhythm,
        "amount": found.contribution.charge,
        "code": found.code,
        "lapses_at": found.declaration.lapses_at,
        "creditor_reference": found.creditor_reference,
        "holder": known.holder,
        "iban": grouped(known.iban or ""),
        "bic": known.bic,
        "bank": known.bank_name,
        "paypal_link": known.paypal_link,
        "page_url": absolute("transfers.announced", reference=found.contribution.reference),
    }
