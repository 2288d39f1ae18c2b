"""What every booking beside the provider has in common: the fact, the moment, the contribution, the timeline."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import func, select

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.accounts.queries import public_id_of
from membership.audit.services import record
from membership.billing.booking import book
from membership.billing.models import Payment, PaymentReversal
from membership.billing.port import PaymentFact, ReversalFact
from membership.contributions.models import Contribution
from membership.contributions.services.declaring import Gift, declare
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import cup_in, zone
from membership.transfers.models import StatementLine
from membership.transfers.rules.reasons import clean_reason

UNDONE, RETURNED = "booking_undone", "bank_return"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who of the staff decides, when, and why (in their words, not looked at yet)."""

    staff: Person
    at: datetime
    reason: str = ""

    @property
    def actor(self) -> str:
        """As timelines and the audit log name them."""
        return accounts.staff_name(self.staff)


def moment_of(on: date, now: datetime) -> datetime:
    """The moment at which money of that day counts as paid: its noon in the newsroom's zone, never after `now`."""
    # In UTC at once: nine months from a noon of winter are counted there, as the database will count them.
    return min(datetime.combine(on, time(12), zone()), now).astimezone(UTC)


def post(  # noqa: PLR0917 - what a payment consists of, in the order of its fact
    contribution: Contribution, payment_id: str, amount: Money, fee: Money, paid_at: datetime, way: str
) -> None:
    """Book money that came, inside the caller's transaction. Conflict `giver_gone` where its giver was erased."""
    _refuse_gone(contribution)
    book(
        PaymentFact(
            payment_id=payment_id,
            reference=contribution.reference,
            rhythm=Rhythm.ONCE,
            charged=amount,
            fee=fee,
            paid_at=paid_at,
            way=way,
        )
    )


def payment_of(payment_id: str) -> Payment:
    """The payment of that name, which is there; locked, so that nobody gives the same money back beside us.

    The gift in a statement that it was booked from is locked before it: always in this order, for whoever begins with
    the line has it already.
    """
    lines = select(StatementLine.id).where(StatementLine.payment_id == payment_id, StatementLine.kind == "credit")
    db.session.execute(lines.order_by(StatementLine.id).with_for_update())
    return db.session.scalars(select(Payment).where(Payment.provider_id == payment_id).with_for_update()).one()


def left_of(payment: Payment) -> Money:
    """What of a payment has not gone back."""
    gone = db.session.scalar(
        select(func.coalesce(func.sum(PaymentReversal.amount_minor), 0)).where(PaymentReversal.payment_id == payment.id)
    )
    return Money(payment.charged_minor - int(gone or 0), payment.currency)


def name_of_next(payment: Payment, what: str) -> str:
    """A name for the next movement of a payment's money, such as bank:…:undone:0, that no earlier one has."""
    n_before = db.session.scalar(select(func.count()).where(PaymentReversal.payment_id == payment.id))
    return f"{payment.provider_id}:{what}:{n_before}"


def was_undone(payment: Payment) -> bool:
    """Whether the whole booking was taken back as a mistake; a return that was undone is below zero."""
    undone = (PaymentReversal.reason == UNDONE) & (PaymentReversal.amount_minor > 0)
    return bool(db.session.scalar(select(func.count()).where(PaymentReversal.payment_id == payment.id, undone)))


def set_credit_state(payment_id: str, before: str, after: str) -> None:
    """The line that a payment was booked from (none where staff booked it by hand) goes from one state to another."""
    query = select(StatementLine).where(StatementLine.payment_id == payment_id, StatementLine.kind == "credit")
    for line in db.session.scalars(query.where(StatementLine.state == before)):
        line.state = after


def book_undoing(fact: ReversalFact, payment: Payment) -> None:
    """Book what undoes something; Conflict `line_done` where the books were that way already."""
    before = left_of(payment)
    book(fact)
    if left_of(payment) == before:
        raise cannot_undo()


def cannot_undo() -> Conflict:
    """What to say where there is nothing to undo."""
    return Conflict("line_done", "Only a line that is booked, and whose money is still here, can be undone.")


def _refuse_gone(contribution: Contribution) -> None:
    person = db.session.get(Person, contribution.person_id) if contribution.person_id else None
    if (person is not None and not person.is_active) or (person is None and not contribution.email):
        raise Conflict("giver_gone", "This giver has left and was erased; say whose money it is.")


def in_currency(contribution: Contribution, amount: Money, token: str) -> Contribution:
    """The contribution, or, for money in another currency than it was promised in, one beside it."""
    if contribution.currency == amount.currency:
        return contribution
    gift = Gift(
        way=contribution.way if contribution.way != "card" else "bank",
        amount=amount,
        cup=cup_in(amount.currency),
        email=contribution.email,
        public_name=contribution.public_name,
        locale=contribution.locale,
        person_id=contribution.person_id,
    )
    return declare(gift, token, clock.now())


def note(payment: Payment, kind: str, decision: Decision) -> None:
    """Into the timeline of whoever gave it, and into the audit log: what staff did, and why."""
    person_id = db.session.scalar(select(Contribution.person_id).where(Contribution.reference == payment.reference))
    details: dict[str, str | int] = {
        "receipt": payment.receipt_number,
        "minor": payment.charged_minor,
        "currency": payment.currency,
        "way": payment.way,
    }
    reason = {"reason": clean_reason(decision.reason)} if decision.reason else {}
    record(
        f"transfer.{kind.removeprefix('transfer_')}",
        ("payment", payment.receipt_number),
        actor=decision.actor,
        about=public_id_of(person_id),
        reason=reason.get("reason"),
        after={name: details[name] for name in ("minor", "currency", "way")},
    )
    if person_id is not None:
        accounts.note(person_id, kind, decision.at, details | reason, actor=decision.actor)


def log_line(line: StatementLine, what: str, decision: Decision, before: str) -> None:
    """Into the audit log: what staff decided about a line of a statement that was in the state `before`."""
    record(
        f"line.{what}",
        ("line", line.id),
        actor=decision.actor,
        reason=decision.reason or None,
        before={"state": before},
        after={"state": line.state},
    )
