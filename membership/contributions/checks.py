"""What check-books asks of contributions: coverage for what was paid (I5), one live support each (I6), and every mail
that is owed (I11).
"""  # fmt: skip

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, literal, or_, select

from membership.accounts.models import Person
from membership.billing.books import Finding, Scope
from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.contributions.services.flagging import list_unasked
from membership.db import db
from membership.kernel.rhythm import Rhythm
from membership.mail.models import OutboxMail
from membership.mail.rules import NOBODY
from membership.patrons.models import CoverageGrant
from membership.patrons.rules import LONGEST_GIFT_MONTHS, Cause


def _paid(*more: Any) -> Select[Any]:
    """Payments of known contributions, each with the coverage that it bought, if any."""
    cause_ref = literal("payment:").concat(Payment.provider_id)
    return (
        select(Payment.provider_id, *more)
        .join(Contribution, Contribution.reference == Payment.reference)
        .outerjoin(CoverageGrant, CoverageGrant.cause_ref == cause_ref)
    )


def unlike_payments(scope: Scope) -> Iterator[Finding]:
    """I5: what somebody paid for themselves covers them: exactly the service period, or a month for each cup. What was
    given for somebody else is asked of the room of gifts.
    """
    own = Contribution.purpose == "self"
    wrong = {
        "covers its giver, and was given for somebody else": and_(
            Contribution.purpose != "self", CoverageGrant.cause == Cause.PAID.value
        ),
        "covers nobody": and_(own, ~_is_granted(), _is_owed_coverage()),
        "covers somebody else": and_(own, _is_granted(), CoverageGrant.person_id != Contribution.person_id),
        "covers another time than was paid": and_(own, _is_granted(), _is_of_another_length()),
    }
    for part in scope.slices(Payment.id, Payment.booked_at):
        for words, condition in wrong.items():
            for ref in db.session.scalars(_paid().where(part, condition)):
                yield Finding("payment_coverage", f"The payment {ref} {words}.")


def _is_granted() -> ColumnElement[bool]:
    return CoverageGrant.id.is_not(None)


def _months() -> ColumnElement[int]:
    """What a single payment covers, as decision 10 has it: what came counts where it is not what was promised."""
    given = case(
        (Payment.charged_minor == Contribution.charge_minor, Contribution.gift_minor), else_=Payment.charged_minor
    )
    # A cup without a price: money in a currency that is not offered, which covers nothing.
    months = case((Contribution.cup_minor == 0, 0), else_=given // Contribution.cup_minor)
    return case((months > LONGEST_GIFT_MONTHS, LONGEST_GIFT_MONTHS), else_=months)


def _is_owed_coverage() -> ColumnElement[bool]:
    is_period = Payment.period_start_at.is_not(None)
    return or_(is_period, and_(Payment.currency == Contribution.currency, _months() > 0))


def _is_of_another_length() -> ColumnElement[bool]:
    other_period = or_(
        CoverageGrant.starts_at.is_(None),
        CoverageGrant.starts_at != Payment.period_start_at,
        CoverageGrant.ends_at != Payment.period_end_at,
    )
    other_months = or_(CoverageGrant.n_months.is_(None), CoverageGrant.n_months != _months())
    return or_(
        and_(Payment.period_start_at.is_not(None), other_period),
        and_(Payment.period_start_at.is_(None), Payment.rhythm == Rhythm.ONCE.value, other_months),
    )


def unlike_reversals(scope: Scope) -> Iterator[Finding]:
    """I5: what went back as a whole covers nothing any more, and everything else still does."""
    total = func.sum(PaymentReversal.amount_minor)
    gone = select(PaymentReversal.payment_id, total.label("minor")).group_by(PaymentReversal.payment_id).subquery()
    is_gone = func.coalesce(gone.c.minor, 0) >= Payment.charged_minor
    wrong = {
        "went back as a whole and still covers": and_(is_gone, CoverageGrant.revoked_at.is_(None)),
        "was not given back as a whole, and covers nothing any more": and_(
            ~is_gone, CoverageGrant.revoked_at.is_not(None)
        ),
    }
    for part in scope.slices(Payment.id, Payment.booked_at):
        for words, condition in wrong.items():
            query = _paid().outerjoin(gone, gone.c.payment_id == Payment.id).where(part, _is_granted(), condition)
            for ref in db.session.scalars(query):
                yield Finding("revoked_coverage", f"The payment {ref} {words}.")


def several_live(scope: Scope) -> Iterator[Finding]:
    """I6: nobody has two live supports that go on by themselves, unless the second one names another that is live."""
    del scope  # as cheap for everybody
    for person_id, n_supports in list_unasked():
        yield Finding("two_live_supports", f"Person {person_id} has {n_supports} live supports, and nobody was asked.")


def owed_mails(scope: Scope) -> Iterator[Finding]:
    """I11: a receipt for every payment, and a welcome for everybody who ever supported for themselves.

    Not for somebody who is gone: who was erased gets no mail.
    """
    receipt = select(OutboxMail.id).where(OutboxMail.once_key == literal("receipt:").concat(Payment.provider_id))
    own_key = literal("welcome:").concat(cast(Contribution.person_id, String))
    welcome = select(OutboxMail.id).where(OutboxMail.once_key == own_key)
    for part in scope.slices(Payment.id, Payment.booked_at):
        there = (part, Person.email.not_like(f"%{NOBODY}"))
        payments = _paid().join(Person, Person.id == Contribution.person_id).where(*there, ~receipt.exists())
        for ref in db.session.scalars(payments):
            yield Finding("receipt_not_mailed", f"No receipt for the payment {ref} is in the outbox.")
        people = (
            select(Contribution.person_id)
            .join(Payment, Payment.reference == Contribution.reference)
            .join(Person, Person.id == Contribution.person_id)
            .where(*there, Contribution.purpose == "self", Contribution.way == "card", ~welcome.exists())
            .distinct()
        )
        for person_id in db.session.scalars(people).all():
            if person_id is not None and not _was_welcomed(person_id):
                yield Finding("not_welcomed", f"Person {person_id} was never welcomed.")


def _was_welcomed(person_id: int) -> bool:
    """Whether the welcome of somebody who has become one with this person is there."""
    own = select(Contribution.id).where(Contribution.person_id == person_id)
    query = select(OutboxMail.id).where(
        OutboxMail.kind == "contributions/welcome", OutboxMail.args["contribution_id"].as_integer().in_(own)
    )
    return db.session.scalar(query.limit(1)) is not None


CHECKS = (unlike_payments, unlike_reversals, several_live, owed_mails)
