"""Reads of transfers: declarations, lines of statements, what is known about whose money a line is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Result, func, select

from membership.accounts.models import Person
from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.contributions.rules import UNPAID
from membership.db import db
from membership.kernel.errors import NotFound
from membership.newsroom.queries import all_names
from membership.transfers.models import Declaration, KnownPayer, SavedMapping, StatementLine
from membership.transfers.rules import codes
from membership.transfers.statements.mappings import BUILT_IN, Mapping, from_json

OPEN = ("new", "suggested")
REMIND_AFTER = timedelta(days=14)
AT_A_TIME = 500
# So far a day that staff typed may be from the bank's own (holidays, and the day on which money was seen).
NEAR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Announced:
    """One declaration with the contribution that it is for."""

    declaration: Declaration
    contribution: Contribution

    @property
    def code(self) -> str:
        """As people read and write it."""
        return codes.written(self.declaration.prefix, self.declaration.body)

    @property
    def creditor_reference(self) -> str:
        """The same as an ISO 11649 reference."""
        return codes.creditor_reference(self.declaration.prefix, self.declaration.body)


def get_announced(reference: str) -> Announced:
    """The declaration of a contribution, by the contribution's reference; NotFound where there is none."""
    return _one(Contribution.reference == reference)


def get_announced_by_id(declaration_id: int) -> Announced:
    """The declaration; NotFound where it is gone (erased)."""
    return _one(Declaration.id == declaration_id)


def prefixes() -> list[str]:
    """What codes of ours begin with: the initials of the newsroom, and of every name that it had before."""
    return list(dict.fromkeys(codes.prefix_of(name) for name in all_names()))


def find_announced_by_code(text: str) -> Announced | None:
    """The declaration whose code stands in `text` and nothing else that is one; None where there is not exactly one."""
    bodies = codes.bodies_in(text, *prefixes())
    row = _joined(Declaration.body.in_(bodies)).one_or_none() if len(bodies) == 1 else None
    return Announced(row[0], row[1]) if row is not None else None


def list_awaited(limit: int) -> list[Announced]:
    """Declarations that no money has come for, the oldest first; withdrawn ones are left out."""
    wanted = (Contribution.state.in_(UNPAID), Declaration.withdrawn_at.is_(None))
    return [Announced(row[0], row[1]) for row in _joined(*wanted, limit=limit)]


def n_awaited() -> dict[str, int]:
    """Way -> announced gifts that no money has come for; withdrawn ones are left out."""
    query = (
        select(Contribution.way, func.count())
        .join(Declaration, Contribution.id == Declaration.contribution_id)
        .where(Contribution.state.in_(UNPAID), Declaration.withdrawn_at.is_(None))
        .group_by(Contribution.way)
    )
    return {way: n for way, n in db.session.execute(query)}  # noqa: C416 - rows are no pairs to the type checker


def list_to_remind(at: datetime) -> list[int]:
    """Declarations that are 14 days old, unanswered and were not reminded of yet."""
    query = (
        select(Declaration.id)
        .join(Contribution, Contribution.id == Declaration.contribution_id)
        .where(Contribution.state.in_(UNPAID), Declaration.withdrawn_at.is_(None), Declaration.reminded_at.is_(None))
        .where(Declaration.created_at <= at - REMIND_AFTER)
        .order_by(Declaration.id)
        .limit(AT_A_TIME)
    )
    return list(db.session.scalars(query))


def name_of_declaration(declaration_id: int) -> str | None:
    """The code of a declaration, as its giver knows it; None where it is gone."""
    row = db.session.get(Declaration, declaration_id)
    return codes.written(row.prefix, row.body) if row else None


def declarations_of(person_id: int) -> list[Announced]:
    """What a person announced, oldest first."""
    return [Announced(row[0], row[1]) for row in _joined(Contribution.person_id == person_id)]


def references_of_bodies(bodies: Iterable[str]) -> dict[str, int]:
    """Those of `bodies` that are codes given out -> the contribution's id."""
    wanted = sorted(set(bodies))
    found: dict[str, int] = {}
    for first in range(0, len(wanted), AT_A_TIME):
        part = wanted[first : first + AT_A_TIME]
        query = select(Declaration.body, Declaration.contribution_id).where(Declaration.body.in_(part))
        found |= {body: contribution_id for body, contribution_id in db.session.execute(query)}  # noqa: C416 - rows
    return found


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


def _one(condition: object) -> Announced:
    row = _joined(condition).one_or_none()
    if row is None:
        raise NotFound("no_declaration", "There is no such announcement.")
    return Announced(row[0], row[1])


def _joined(*conditions: object, limit: int | None = None) -> Result[Declaration, Contribution]:
    query = (
        select(Declaration, Contribution)
        .join(Contribution, Contribution.id == Declaration.contribution_id)
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(Declaration.created_at, Declaration.id)
    )
    return db.session.execute(query.limit(limit) if limit else query)


def export_of(person_id: int) -> list[dict[str, object]]:
    """What a member is handed out of this room: what they announced. Accounts are kept as digests and name nothing."""
    return [
        {
            "code": each.code,
            "way": each.contribution.way,
            "amount": str(each.contribution.charge),
            "rhythm": each.declaration.rhythm,
            "announced_at": each.declaration.created_at,
            "reminded_at": each.declaration.reminded_at,
            "withdrawn_at": each.declaration.withdrawn_at,
        }
        for each in declarations_of(person_id)
    ]
