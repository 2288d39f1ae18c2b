"""Reads of statements: their lines, whose money a line may be, and what was booked beside them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import func, select

from membership.accounts.models import Person
from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.db import db
from membership.kernel.errors import NotFound
from membership.transfers.models import KnownPayer, SavedMapping, StatementLine
from membership.transfers.statements.mappings import BUILT_IN, Mapping, from_json

OPEN = ("new", "suggested")
# So far a day that staff typed may be from the bank's own (holidays, and the day on which money was seen).
NEAR = timedelta(days=7)


def contributions_by_account(digest: str) -> list[int]:
    """The newest contribution beside the provider of each person whom this account gave for; active people only."""
    newest = (
        select(func.max(Contribution.id))
        .join(KnownPayer, KnownPayer.person_id == Contribution.person_id)
        .join(Person, Person.id == KnownPayer.person_id)
        .where(KnownPayer.account_digest == digest, Contribution.way != "card", Person.disabled_at.is_(None))
        .group_by(Contribution.person_id)
    )
    return sorted(db.session.scalars(newest), reverse=True)


def is_known_giver(contribution: Contribution) -> bool:
    """Whether its giver proved their address, and money of theirs is in the books that has not gone back."""
    is_bound = contribution.person_id is not None
    mine = Person.id == contribution.person_id if is_bound else Person.email == contribution.email
    gone = select(PaymentReversal.id).where(PaymentReversal.payment_id == Payment.id)
    query = (
        select(Payment.id)
        .join(Contribution, Contribution.reference == Payment.reference)
        .join(Person, Person.id == Contribution.person_id)
        .where(mine, Person.email_proved_at.is_not(None), ~gone.exists())
    )
    return db.session.scalar(query.limit(1)) is not None


def count_namesakes(line: StatementLine, but: int | None) -> int:
    """How many people are called as the payer of a line, in either order of the words; without the person `but`."""
    words = (line.payer_name or "").replace(",", " ").split()
    plain, turned = " ".join(words), " ".join([*words[1:], *words[:1]])
    spelt = {each for name in (plain, turned) for each in (name, name.title(), name.upper(), name.lower())} - {""}
    query = select(func.count(Person.id)).where(Person.public_name.in_(spelt), Person.disabled_at.is_(None))
    return db.session.scalar(query if but is None else query.where(Person.id != but)) or 0


def names_by_account(digest: str) -> list[str]:
    """The payers' names under which money of this account was booked, as far as they are not forgotten yet."""
    mine = (StatementLine.account_digest == digest, StatementLine.state == "booked")
    query = select(StatementLine.payer_name).where(*mine, StatementLine.kind == "credit").distinct()
    return sorted(name for name in db.session.scalars(query) if name)


def list_open_lines(limit: int, after: int = 0) -> Sequence[StatementLine]:
    """Lines that somebody must look at, in order of their ids from `after` on."""
    query = select(StatementLine).where(StatementLine.state.in_(OPEN), StatementLine.id > after)
    return db.session.scalars(query.order_by(StatementLine.id).limit(limit)).all()


def list_lines(states: Sequence[str], limit: int) -> Sequence[StatementLine]:
    """Lines in these states, the newest day first."""
    query = select(StatementLine).where(StatementLine.state.in_(states))
    newest = (StatementLine.booked_on.desc(), StatementLine.id.desc())
    return db.session.scalars(query.order_by(*newest).limit(limit)).all()


def count_lines() -> dict[str, int]:
    """How many lines stand in each state; states without any are missing."""
    rows = db.session.execute(select(StatementLine.state, func.count()).group_by(StatementLine.state))
    return {state: n for state, n in rows}  # noqa: C416 - rows are no tuples to the type checker


def list_certain(limit: int) -> list[int]:
    """Open lines that may be booked without asking, oldest first."""
    query = select(StatementLine.id).where(StatementLine.state == "suggested", StatementLine.is_certain)
    # By the day, so that receipts are numbered as the money came.
    return list(db.session.scalars(query.order_by(StatementLine.booked_on, StatementLine.id).limit(limit)))


def get_line(line_id: int) -> StatementLine:
    """The line; NotFound."""
    line = db.session.get(StatementLine, line_id)
    if line is None:
        raise NotFound("no_line", "There is no such line.")
    return line


def contributions_by_id(ids: Iterable[int | None]) -> dict[int, Contribution]:
    """These contributions by their ids."""
    wanted = [each for each in ids if each is not None]
    rows = db.session.scalars(select(Contribution).where(Contribution.id.in_(wanted))).all() if wanted else []
    return {row.id: row for row in rows}


def people_by_id(ids: Iterable[int | None]) -> dict[int, Person]:
    """These people by their ids."""
    wanted = [each for each in ids if each is not None]
    rows = db.session.scalars(select(Person).where(Person.id.in_(wanted))).all() if wanted else []
    return {row.id: row for row in rows}


def payments_by_id(ids: Iterable[str | None]) -> dict[str, Payment]:
    """Payments by the names under which lines know them."""
    wanted = [each for each in ids if each is not None]
    rows = db.session.scalars(select(Payment).where(Payment.provider_id.in_(wanted))).all() if wanted else []
    return {row.provider_id: row for row in rows}


def find_payment(receipt_number: str) -> Payment | None:
    """A payment beside the provider by its receipt's number; None where there is none."""
    return db.session.scalar(select(Payment).where(Payment.receipt_number == receipt_number, Payment.way != "card"))


def find_line_of(payment_id: str) -> StatementLine | None:
    """The gift in a statement that a payment was booked from; None where it was booked by hand."""
    query = select(StatementLine).where(StatementLine.payment_id == payment_id, StatementLine.kind == "credit")
    return db.session.scalars(query.limit(1)).first()


def contribution_of(payment: Payment) -> Contribution:
    """The contribution that a payment is for."""
    return db.session.scalars(select(Contribution).where(Contribution.reference == payment.reference)).one()


def list_booked_by_hand(limit: int) -> Sequence[Payment]:
    """The newest payments beside the provider that no statement told of."""
    told = select(StatementLine.id).where(StatementLine.payment_id == Payment.provider_id).exists()
    query = select(Payment).where(Payment.way != "card", ~told)
    return db.session.scalars(query.order_by(Payment.booked_at.desc(), Payment.id.desc()).limit(limit)).all()


def is_booked_by_hand(line: StatementLine, wanted: Sequence[Contribution]) -> bool:
    """Whether a payment like this line, which no statement told of and which has not gone back, is for the givers of
    the contributions `wanted`: the same way and amount, at most NEAR apart.
    """
    total = func.coalesce(func.sum(PaymentReversal.amount_minor), 0)
    gone = select(total).where(PaymentReversal.payment_id == Payment.id).scalar_subquery()
    noon = datetime.combine(line.booked_on, time(12), UTC)
    people, addresses = {row.person_id for row in wanted} - {None}, {row.email for row in wanted} - {""}
    givers = Contribution.person_id.in_(people) | Contribution.email.in_(addresses)
    query = (
        select(Payment.id)
        .join(Contribution, Contribution.reference == Payment.reference)
        .where(Payment.way == line.way, Payment.currency == line.currency, Payment.charged_minor == line.amount_minor)
        .where(Payment.paid_at.between(noon - NEAR, noon + NEAR), gone < Payment.charged_minor)
        .where(givers | Contribution.id.in_(row.id for row in wanted))
        .where(~select(StatementLine.id).where(StatementLine.payment_id == Payment.provider_id).exists())
    )
    return db.session.scalar(query.limit(1)) is not None


def list_mappings() -> dict[str, Mapping]:
    """Every mapping by its name: those built in, then those saved here."""
    saved = db.session.scalars(select(SavedMapping).order_by(SavedMapping.name))
    return BUILT_IN | {row.name: from_json(row.mapping) for row in saved}


def export_accounts(person_id: int) -> list[dict[str, object]]:
    """By which accounts we know a member again: a digest, which names nothing, and the end."""
    query = select(KnownPayer.account_end, StatementLine.booked_on, StatementLine.way)
    query = query.join(StatementLine, StatementLine.id == KnownPayer.line_id).where(KnownPayer.person_id == person_id)
    rows = db.session.execute(query.order_by(StatementLine.booked_on, KnownPayer.id))
    return [{"way": way, "account_ends_with": end, "known_since": on} for end, on, way in rows]
