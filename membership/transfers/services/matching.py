"""What is known about open lines, and what that suggests: `rules.matching` decides, here it is asked and kept."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from membership.accounts.models import Person
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.money import Money
from membership.transfers import queries
from membership.transfers.models import StatementLine
from membership.transfers.rules import codes
from membership.transfers.rules.matching import Announced, Known, Match, Why, match

AT_A_TIME = 200
MOST_ANNOUNCED = 2000


def suggest(line_ids: Sequence[int]) -> None:
    """Work out for these lines, as far as they are open, whose they may be."""
    for first in range(0, len(line_ids), AT_A_TIME):
        with transaction("transfers.suggest"):
            query = (
                select(StatementLine)
                .where(StatementLine.id.in_(line_ids[first : first + AT_A_TIME]))
                .where(StatementLine.state.in_(queries.OPEN))
                .order_by(StatementLine.id)
                .with_for_update()
            )
            _suggest(db.session.scalars(query).all())


def suggest_all() -> None:
    """The same for every open line: a new announcement or a new account may say more about older ones."""
    after = 0
    while lines := [line.id for line in queries.list_open_lines(AT_A_TIME, after)]:
        suggest(lines)
        after = lines[-1]


def _suggest(lines: Sequence[StatementLine]) -> None:
    prefixes = queries.prefixes()
    coded = {line.id: codes.bodies_in(line.remittance or "", *prefixes) for line in lines}
    nearly = {line.id: codes.near_bodies(line.remittance or "", *prefixes) for line in lines}
    given_out = queries.references_of_bodies(
        body for table in (coded, nearly) for bodies in table.values() for body in bodies
    )
    announced = _announced()
    for line in lines:
        if line.kind != "credit":
            _suggest_payment(line)
            continue
        right = [str(given_out[body]) for body in coded[line.id] if body in given_out]
        near = [str(given_out[body]) for body in nearly[line.id] if body in given_out]
        _keep(line, match(line.amount, line.payer_name or "", _known(line, right, near, announced)))


def _known(line: StatementLine, right: list[str], near: list[str], announced: list[Announced]) -> Known:
    by_account = queries.contributions_by_account(line.account_digest) if line.account_digest else []
    active = _active([*right, *near, *(str(each) for each in by_account)])
    return Known(
        coded=[each for each in dict.fromkeys(right) if each in active],
        nearly=[each for each in dict.fromkeys(near) if each in active],
        by_account=[str(each) for each in by_account if str(each) in active],
        earlier_names=queries.names_by_account(line.account_digest) if line.account_digest else [],
        announced=announced,
        is_odd=line.is_odd,
        is_seen=_is_seen_elsewhere(line) or _is_booked_by_hand(line, [*right, *near, *map(str, by_account)]),
        was_decided=line.was_decided,
    )


def _keep(line: StatementLine, found: Match | None) -> None:
    line.suggested_id = int(found.reference) if found else None
    line.why = found.why.value if found else None
    line.is_certain = found.is_certain if found else False
    line.state = "suggested" if found else "new"


def _suggest_payment(line: StatementLine) -> None:
    """Which booking a return takes back, or a fee is for: by the bank's own id that is certain; of a return a
    suggestion by account and amount.
    """
    if line.kind == "return":
        found = find_returned(line.linked_digest, line.amount, line.booked_on)
    else:
        found = _find_gift(line.linked_digest)
    is_certain = found is not None and not line.was_decided
    if line.kind == "return":
        found = found or _returned_by_account(line) or _returned_by_code(line)
    line.payment_id = found.payment_id if found else None
    line.why = Why.MOVEMENT.value if found else None
    line.is_certain, line.state = is_certain, "suggested" if found else "new"


def find_returned(linked_digest: str | None, amount: Money, on: date) -> StatementLine | None:
    """The newest booked gift of that id and amount that came by then and has not gone back; None for none."""
    return _newest(StatementLine.linked_digest == linked_digest, amount, on) if linked_digest else None


def _find_gift(linked_digest: str | None) -> StatementLine | None:
    """The newest gift of that id whose money is in the books, or went back by them; None for none."""
    mine = (StatementLine.linked_digest == linked_digest, StatementLine.kind == "credit")
    query = select(StatementLine).where(*mine, StatementLine.state.in_(("booked", "returned")))
    return db.session.scalars(query.order_by(StatementLine.id.desc()).limit(1)).first() if linked_digest else None


def _returned_by_account(line: StatementLine) -> StatementLine | None:
    condition = StatementLine.account_digest == line.account_digest
    return _newest(condition, line.amount, line.booked_on) if line.account_digest else None


def _returned_by_code(line: StatementLine) -> StatementLine | None:
    bodies = codes.bodies_in(line.remittance or "", *queries.prefixes())
    ids = list(queries.references_of_bodies(bodies).values())
    return _newest(StatementLine.suggested_id.in_(ids), line.amount, line.booked_on) if ids else None


def _newest(condition: object, amount: Money, on: date) -> StatementLine | None:
    query = (
        select(StatementLine)
        .where(condition, StatementLine.kind == "credit", StatementLine.state == "booked")  # type: ignore[arg-type]
        .where(StatementLine.amount_minor == amount.minor, StatementLine.currency == amount.currency)
        .where(StatementLine.booked_on <= on)
        .order_by(StatementLine.booked_on.desc(), StatementLine.id.desc())
    )
    return db.session.scalars(query.limit(1)).first()


def names_a_code(text: str) -> bool:
    """Whether one of the codes that we gave out stands in a text."""
    return bool(queries.references_of_bodies(codes.bodies_in(text, *queries.prefixes())))


def _is_seen_elsewhere(line: StatementLine) -> bool:
    """Whether a statement of another form told of a movement like this one: the same day and amount, and the same
    payer as far as both know the account.
    """
    query = select(StatementLine.id).where(
        StatementLine.source != line.source,
        StatementLine.way == line.way,
        StatementLine.kind == line.kind,
        StatementLine.booked_on == line.booked_on,
        StatementLine.amount_minor == line.amount_minor,
        StatementLine.currency == line.currency,
        StatementLine.id != line.id,
    )
    same_payer = (StatementLine.account_digest == line.account_digest) | StatementLine.account_digest.is_(None)
    return db.session.scalar(query.where(same_payer) if line.account_digest else query) is not None


def _is_booked_by_hand(line: StatementLine, ids: Sequence[str]) -> bool:
    """Whether staff booked money of this way and amount, near that day, for the giver of one of these contributions."""
    if line.kind != "credit" or not ids:
        return False
    rows = queries.contributions_by_id(int(each) for each in ids).values()
    return queries.is_booked_by_hand(line, list(rows))


def _active(ids: Sequence[str]) -> set[str]:
    """Those contributions whose giver may still be booked for: not erased, not shut out."""
    rows = queries.contributions_by_id(int(each) for each in ids)
    people = queries.people_by_id(row.person_id for row in rows.values())
    return {
        str(row.id)
        for row in rows.values()
        if (row.person_id is None and row.email) or (row.person_id in people and people[row.person_id].is_active)
    }


def _announced() -> list[Announced]:
    found = []
    for each in queries.list_awaited(clock.now(), MOST_ANNOUNCED):
        row = each.contribution
        person = db.session.get(Person, row.person_id) if row.person_id else None
        local = row.email.partition("@")[0].replace(".", " ").replace("_", " ").replace("-", " ")
        names = tuple(name for name in (row.public_name, person.public_name if person else None, local) if name)
        found.append(Announced(str(row.id), row.charge, names))
    return found
