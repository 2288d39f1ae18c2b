"""What happens to rows of transfers when a person is erased, or turns out to be the same as another; and forgetting."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import aliased

from membership.accounts.queries import addresses_of
from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.db import db, transaction
from membership.mail import wishes
from membership.transfers.models import Declaration, KnownPayer, StatementLine

KEEP_WORDS = timedelta(days=30)
NO_WORDS = {"payer_name": None, "payer_account": None, "remittance": None}


def forget(now: datetime) -> int:
    """Empty names, accounts and texts of lines that were decided more than 30 days ago (decision 13); how many.

    Of lines that were no gifts the account's digest goes as well: those payers are none of our business.
    """
    old = (StatementLine.done_at < now - KEEP_WORDS) & StatementLine.emptied_at.is_(None)
    with transaction("transfers.forget"):
        strangers = update(StatementLine).where(old, StatementLine.state == "ignored")
        db.session.execute(strangers.values(account_digest=None, linked_digest=None))
        emptied = update(StatementLine).where(old).values(**NO_WORDS, reason=None, emptied_at=now)
        return len(db.session.scalars(emptied.returning(StatementLine.id)).all())


def hold_lines(person_id: int, at: datetime) -> None:
    """Lock what statements say of a person, before the contributions are locked: whoever decides about a line holds
    it first, and its contribution after it.
    """
    del at
    unbound = Contribution.person_id.is_(None) & Contribution.email.in_(addresses_of(person_id))
    mine = _names_them(person_id, (Contribution.person_id == person_id) | unbound)
    with transaction("transfers.hold_lines"):
        db.session.execute(select(StatementLine.id).where(mine).order_by(StatementLine.id).with_for_update())


def _names_them(person_id: int, is_theirs: ColumnElement[bool]) -> ColumnElement[bool]:
    """Lines that may name a person: of money that is theirs or is thought to be, from an account that gave for them,
    and of what went back of it, whether or not that was decided.
    """
    gave = aliased(StatementLine)
    theirs = select(Contribution.id).where(is_theirs)
    digests = select(KnownPayer.account_digest).where(KnownPayer.person_id == person_id)
    paid = select(Payment.provider_id).join(Contribution, Contribution.reference == Payment.reference).where(is_theirs)
    linked = select(gave.linked_digest).where(gave.suggested_id.in_(theirs), gave.linked_digest.is_not(None))
    return or_(
        StatementLine.suggested_id.in_(theirs),
        StatementLine.account_digest.in_(digests),
        StatementLine.payment_id.in_(paid),
        StatementLine.linked_digest.in_(linked),
    )


def erase_person(person_id: int, at: datetime) -> None:
    """Empty what statements said of a person; forget their codes and accounts. Amounts and payments stay.

    Runs after the contributions' own: what was announced under the person's address, and is nobody's yet, has no
    address any more.
    """
    is_nobodys = Contribution.person_id.is_(None) & (Contribution.email == "") & (Contribution.way != "card")
    is_theirs = (Contribution.person_id == person_id) | is_nobodys
    theirs, mine = select(Contribution.id).where(is_theirs), _names_them(person_id, is_theirs)
    with transaction("transfers.erase_person"):
        # An open line is money that nobody has been found for: it stays to be decided, but names them no more.
        is_open = StatementLine.done_at.is_(None)
        db.session.execute(update(StatementLine).where(mine, is_open).values(**NO_WORDS, account_digest=None))
        unmatched = {"suggested_id": None, "why": None, "is_certain": False, "state": "new"}
        suggested = update(StatementLine).where(is_open, StatementLine.suggested_id.in_(theirs))
        db.session.execute(suggested.values(**unmatched))
        values = {**NO_WORDS, "reason": None, "account_digest": None, "linked_digest": None, "emptied_at": at}
        db.session.execute(update(StatementLine).where(mine, StatementLine.done_at.is_not(None)).values(**values))
        db.session.execute(delete(KnownPayer).where(KnownPayer.person_id == person_id))
        announced = select(Declaration.id).where(Declaration.contribution_id.in_(theirs))
        wishes.forget_about("declaration_id", db.session.scalars(announced).all(), at)
        db.session.execute(delete(Declaration).where(Declaration.contribution_id.in_(theirs)))


def merge_people(from_id: int, into_id: int, at: datetime) -> None:
    """The accounts that gave for one give for the other from now on."""
    del at
    known = select(KnownPayer.account_digest).where(KnownPayer.person_id == into_id)
    with transaction("transfers.merge_people"):
        db.session.execute(
            delete(KnownPayer)
            .where(KnownPayer.person_id == from_id, KnownPayer.account_digest.in_(known))
            .execution_options(synchronize_session=False)
        )
        db.session.execute(update(KnownPayer).where(KnownPayer.person_id == from_id).values(person_id=into_id))
