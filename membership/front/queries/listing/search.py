"""Who is meant by what was typed: looked up whole in the index of its kind, else beginnings of names and addresses."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, union
from sqlalchemy.orm import InstrumentedAttribute, aliased

from membership.accounts.models import AddressChange, Person, PersonWord
from membership.billing.models import Payment, PaymentFailure, PaymentReversal
from membership.contributions.models import Card, Contribution
from membership.db import db
from membership.front.rules.searching import Kind, Search
from membership.gifts.models import Gift
from membership.transfers.models import Declaration, KnownPayer
from membership.transfers.services.importing import account_digest

# Above every character that a word can have.
LAST = "\U0010ffff"
# What is looked up whole is somebody's, or a few people's: a house that shares a card, an end of an account.
MOST_WHOLE = 1000
# A word is weighed against the others up to here; beyond, all are common.
MOST_WEIGHED = 2000

Ids = Select[Any]


def whole(search: Search) -> list[int]:
    """The people of what is looked up whole, those who were merged as whoever they are now; empty for none."""
    parts = _PARTS[search.kind](search.value) if search.kind in _PARTS else []
    if not parts:
        return []
    found = union(*parts).subquery()
    survivor = func.coalesce(Person.merged_into_id, Person.id)
    query = select(survivor).where(Person.id.in_(select(found.c[0]))).distinct().limit(MOST_WHOLE)
    return sorted(db.session.scalars(query))


def _by_contribution(condition: ColumnElement[bool]) -> Ids:
    return select(Contribution.person_id).where(condition)


def _by_payment(condition: ColumnElement[bool]) -> Ids:
    return select(Contribution.person_id).join(Payment, Payment.reference == Contribution.reference).where(condition)


def _of_person(value: str) -> list[Ids]:
    return [select(Person.id).where(Person.public_id == value)]


def _of_support(value: str) -> list[Ids]:
    """Also whoever redeemed what it paid for."""
    redeemed = select(Gift.redeemed_by_id).where(Gift.reference == value)
    return [_by_contribution(Contribution.reference == value), redeemed]


def _of_gift(value: str) -> list[Ids]:
    return [select(column).where(Gift.public_id == value) for column in (Gift.giver_id, Gift.redeemed_by_id)]


def _of_receipt(value: str) -> list[Ids]:
    return [_by_payment(Payment.receipt_number == value)]


def _at_provider(value: str) -> list[Ids]:
    """A customer, subscription, payment page, payment or invoice, refund or dispute, failed payment. All are indexed,
    and a name of one kind stands in one of them, so that it need not be known which kind it is.
    """
    reversed_ids = select(PaymentReversal.payment_id).where(PaymentReversal.provider_id == value)
    failed = select(PaymentFailure.reference).where(PaymentFailure.provider_ref == value)
    return [
        _by_contribution(Contribution.customer_id == value),
        _by_contribution(Contribution.subscription_id == value),
        _by_contribution(Contribution.checkout_id == value),
        _by_contribution(Contribution.reference.in_(failed)),
        _by_payment(Payment.provider_id == value),
        _by_payment(Payment.id.in_(reversed_ids)),
    ]


def _of_code(value: str) -> list[Ids]:
    announced = select(Declaration.contribution_id).where(Declaration.body == value)
    return [_by_contribution(Contribution.id.in_(announced))]


def _of_account(value: str) -> list[Ids]:
    return [select(KnownPayer.person_id).where(KnownPayer.account_digest == account_digest(value))]


def _of_end(value: str) -> list[Ids]:
    """Of an account that transfers came from, or of a card or account that the provider charges."""
    charged = select(Card.contribution_id).where(Card.last4 == value)
    return [
        select(KnownPayer.person_id).where(KnownPayer.account_end == value),
        _by_contribution(Contribution.id.in_(charged)),
    ]


def _of_address(value: str) -> list[Ids]:
    """Also one that was typed for a support and is not the person's own, and one that they had until lately."""
    return [
        select(Person.id).where(Person.email == value),
        _by_contribution(Contribution.email == value),
        select(AddressChange.person_id).where(AddressChange.old_email == value, AddressChange.undone_at.is_(None)),
    ]


_PARTS = {
    Kind.PERSON: _of_person,
    Kind.SUPPORT: _of_support,
    Kind.GIFT: _of_gift,
    Kind.RECEIPT: _of_receipt,
    Kind.AT_PROVIDER: _at_provider,
    Kind.CODE: _of_code,
    Kind.ACCOUNT: _of_account,
    Kind.END: _of_end,
    Kind.ADDRESS: _of_address,
}


# Beginnings ---------------------------------------------------------------------------------------------


def begins(column: InstrumentedAttribute[str], prefix: str) -> ColumnElement[bool]:
    """Whether a folded word begins so: a stretch of its index, on both databases."""
    return and_(column >= prefix, column < prefix + LAST)


def rarest_first(words: tuple[str, ...]) -> list[str]:
    """The words with the rarest beginning first; that one is walked, the others are looked up for each person."""
    if len(words) < 2:  # noqa: PLR2004 - nothing to choose from
        return list(words)
    return sorted(words, key=_weight)


def _weight(word: str) -> int:
    some = select(PersonWord.person_id).where(begins(PersonWord.word, word)).limit(MOST_WEIGHED).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def has_word(prefix: str) -> ColumnElement[bool]:
    """Whether a person has a word that begins so."""
    row = aliased(PersonWord)
    return exists().where(row.person_id == Person.id, begins(row.word, prefix))


def first_match(prefix: str) -> ColumnElement[bool]:
    """Whether the word that is walked is the first of its person that begins so: whoever is met by several of theirs
    is shown once. Written so that PostgreSQL looks it up word by word.
    """
    row = aliased(PersonWord)
    first = select(func.min(row.word)).where(row.person_id == PersonWord.person_id, begins(row.word, prefix))
    return PersonWord.word == first.correlate(PersonWord).scalar_subquery()
