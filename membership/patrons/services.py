"""The only writers of coverage, grace and movements. Each joins the transaction of the money that caused it.

Whoever is named as `person_id` may turn out to be another while we wait for their row (accounts' merge): then it is
written for the person that remains.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.kernel.money import Money
from membership.kernel.words import one_line
from membership.mail import services as mail
from membership.newsroom.queries import day_of
from membership.patrons.models import CoverageGrant, CoverageSpan, Grace, Movement, PatronChange
from membership.patrons.queries import find_cohort, grants_of, list_ever_covered, patron_changes_of, patron_times_of
from membership.patrons.rules import Cause, Loss, MovementKind, movement_kind, patron_changes, place

# A comp has an end that somebody will live to see; staff write reasons in one line.
LONGEST_COMP = timedelta(days=731)
LONGEST_REASON = 200


def grant_period(
    person_id: int, cause: Cause, cause_ref: str, *, paid_at: datetime, starts_at: datetime, ends_at: datetime
) -> int:
    """Cover exactly `[starts_at, ends_at)`; whose it is now. The same `cause_ref` a second time changes nothing."""
    return _grant(
        CoverageGrant(
            person_id=person_id,
            cause=cause.value,
            cause_ref=cause_ref,
            paid_at=paid_at,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    )


def grant_months(person_id: int, cause: Cause, cause_ref: str, *, paid_at: datetime, n_months: int) -> int:
    """Cover `n_months` (at least one) of time not otherwise covered; whose it is now. Idempotent by `cause_ref`."""
    return _grant(
        CoverageGrant(person_id=person_id, cause=cause.value, cause_ref=cause_ref, paid_at=paid_at, n_months=n_months)
    )


def revoke(cause_ref: str, at: datetime) -> None:
    """Take back what `cause_ref` granted, from `at` on; lengths of other grants move up. Idempotent."""
    with transaction("patrons.revoke"):
        grant = _locked_grant(cause_ref)
        if grant is None or grant.revoked_at is not None:
            return
        grant.revoked_at = at
        _replace_spans(grant.person_id)


def restore(cause_ref: str) -> None:
    """Undo a revocation: the money is back (dispute won, refund failed). Idempotent."""
    with transaction("patrons.restore"):
        grant = _locked_grant(cause_ref)
        if grant is None or grant.revoked_at is None:
            return
        grant.revoked_at = None
        _replace_spans(grant.person_id)


def grant_comp(
    person_id: int, until: datetime, token: str, *, reason: str, actor: str, at: datetime, is_bulk: bool = False
) -> str:
    """Make somebody a patron from now until `until` without money, for a `reason` in our words; they are mailed.

    It ends by itself. `token` names one press of one button, so that a double click grants once; `is_bulk`: this is one
    of many, so the mail may wait. Returns the
    `cause_ref` of the grant. Raises InvalidInput `comp_end` (field "until") for an end that is over or more than
    LONGEST_COMP ahead, `no_reason` without one.
    """
    if not at < until <= at + LONGEST_COMP:
        raise InvalidInput("comp_end", "Please choose a day from tomorrow to two years ahead.", field="until")
    cause_ref = f"comp:{token}"
    with transaction("patrons.grant_comp"):
        person_id = _lock(person_id)
        if db.session.scalar(select(CoverageGrant.id).where(CoverageGrant.cause_ref == cause_ref)) is not None:
            return cause_ref
        details = {"comp": cause_ref, "until": until.isoformat(), "reason": _said(reason)}
        grant_period(person_id, Cause.COMP, cause_ref, paid_at=at, starts_at=at, ends_at=until)
        accounts.note(person_id, "comp_granted", at, details, actor)
        person = db.session.get_one(Person, person_id)
        whom, until_when = ("person", person.public_id), {"until": until.isoformat()}
        record("comp.granted", whom, actor=actor, reason=details["reason"], after={"comp": cause_ref} | until_when)
        _tell_of_comp("patrons/comp", person_id, cause_ref, is_bulk=is_bulk)
    return cause_ref


def revoke_comp(
    person_id: int, cause_ref: str, *, reason: str, actor: str, at: datetime, is_bulk: bool = False
) -> None:
    """Take a comp back from `at` on; the person is mailed (later, where `is_bulk`). Raises NotFound `no_comp`, Conflict
    `comp_over`, and InvalidInput `no_reason`.
    """
    with transaction("patrons.revoke_comp"):
        person_id = _lock(person_id)
        mine = (CoverageGrant.cause_ref == cause_ref) & (CoverageGrant.person_id == person_id)
        grant = db.session.scalar(select(CoverageGrant).where(mine, CoverageGrant.cause == Cause.COMP.value))
        if grant is None or grant.ends_at is None:
            raise NotFound("no_comp", "There is no such free membership.")
        if grant.revoked_at is not None or grant.ends_at <= at:
            raise Conflict("comp_over", "This free membership is over already.")
        details = {"comp": cause_ref, "reason": _said(reason)}
        revoke(cause_ref, at)
        accounts.note(person_id, "comp_revoked", at, details, actor)
        person = db.session.get_one(Person, person_id)
        whom, until_when = ("person", person.public_id), {"until": grant.ends_at.isoformat()}
        record("comp.revoked", whom, actor=actor, reason=details["reason"], before={"comp": cause_ref} | until_when)
        _tell_of_comp("patrons/comp_revoked", person_id, cause_ref, is_bulk=is_bulk)


def _said(reason: str) -> str:
    said = one_line(reason)[:LONGEST_REASON]
    if not said:
        raise InvalidInput("no_reason", "Please say why.", field="reason")
    return said


def _tell_of_comp(kind: str, person_id: int, cause_ref: str, *, is_bulk: bool) -> None:
    person = db.session.get_one(Person, person_id, populate_existing=True)
    if person.is_active:
        args: dict[str, int | str] = {"comp": cause_ref}
        mail.send(kind, person.email, person.locale, args, f"{kind}:{cause_ref}", is_bulk=is_bulk)


def open_grace(person_id: int, reference: str, *, opened_at: datetime, days: int, is_first: bool = False) -> None:
    """Let somebody stay a patron for `days` while the renewal of `reference` is retried.

    While a grace of that contribution is open, later failures do not lengthen it; news of an earlier one, which
    came late, moves it to where it belongs. `is_first`: this is the first failure of the trouble, so that a grace which
    was opened at mere word of it (by a clock that was not there yet) begins with it.
    """
    until = opened_at + timedelta(days=days)
    with transaction("patrons.open_grace"):
        person_id = _lock(person_id)
        row = db.session.scalar(select(Grace).where(Grace.reference == reference, Grace.closed_at.is_(None)))
        if row is None:
            db.session.add(Grace(person_id=person_id, reference=reference, opened_at=opened_at, until=until))
        elif is_first or opened_at < row.opened_at:
            row.opened_at, row.until = opened_at, until
        note_patron_time(person_id)


def close_grace(reference: str, at: datetime) -> None:
    """End the open grace of a contribution, if there is one."""
    with transaction("patrons.close_grace"):
        for row in db.session.scalars(select(Grace).where(Grace.reference == reference, Grace.closed_at.is_(None))):
            row.closed_at = at
            note_patron_time(row.person_id)


def move_to(
    person_id: int, reference: str, level: Money, at: datetime, *, milli_cups: int = 0, cause: Loss = Loss.CHOSEN
) -> MovementKind | None:
    """Say that `reference` now gives `level` a year (zero: nothing, because of `cause`), and that this is `milli_cups`
    thousandths of a cup a month; writes the movement, if there is one.

    Returns its kind, None where the level is what it was. Changing currency is a loss and a new start.
    """
    with transaction("patrons.move_to"):
        person_id = _lock(person_id)
        kind = None
        for currency, (before, cups) in _levels(reference).items():
            if currency != level.currency and before:
                lost = Money(-before, currency)
                _move(person_id, reference, lost, MovementKind.LOST, at, milli_cups=-cups, cause=Loss.CURRENCY)
        before, cups = _levels(reference).get(level.currency, (0, 0))
        kind = movement_kind(before, level.minor, has_left_before=_has_left(person_id))
        if kind:
            delta = Money(level.minor - before, level.currency)
            cups = (milli_cups if level.minor else 0) - cups
            _move(person_id, reference, delta, kind, at, milli_cups=cups, cause=cause)
        return kind


def _move(
    person_id: int, reference: str, delta: Money, kind: MovementKind, at: datetime, *, milli_cups: int, cause: Loss
) -> None:
    db.session.add(
        Movement(
            person_id=person_id,
            reference=reference,
            kind=kind.value,
            at=at,
            yearly_delta_minor=delta.minor,
            milli_cups_delta=milli_cups,
            cause=cause.value if kind is MovementKind.LOST else "",
            currency=delta.currency,
        )
    )
    db.session.flush()


def _levels(reference: str) -> dict[str, tuple[int, int]]:
    """By currency: what it gives a year in minor units, and in thousandths of a cup a month."""
    rows = db.session.execute(
        select(Movement.currency, func.sum(Movement.yearly_delta_minor), func.sum(Movement.milli_cups_delta))
        .where(Movement.reference == reference)
        .group_by(Movement.currency)
    )
    return {currency: (int(total), int(cups)) for currency, total, cups in rows}


def _has_left(person_id: int) -> bool:
    left = select(Movement.id).where(Movement.person_id == person_id, Movement.kind == MovementKind.LOST.value)
    return db.session.scalar(left.limit(1)) is not None


def _grant(grant: CoverageGrant) -> int:
    with transaction("patrons.grant"):
        grant.person_id = _lock(grant.person_id)
        known = select(CoverageGrant.person_id).where(CoverageGrant.cause_ref == grant.cause_ref)
        if (whose := db.session.scalar(known)) is not None:
            return whose
        db.session.add(grant)
        db.session.flush()
        _replace_spans(grant.person_id)
        return grant.person_id


def _lock(person_id: int) -> int:
    """Lock whoever this person is by now; who that is. Two payments of one person take turns, so that each places its
    months knowing the other's. No shell is locked (PostgreSQL looks again once it has waited for a merge): else we and
    the next merge, which moves shells along, could wait for each other.
    """
    while True:
        is_no_shell = (Person.id == person_id) & Person.merged_into_id.is_(None)
        if db.session.scalar(select(Person.id).where(is_no_shell).with_for_update()) is not None:
            return person_id
        into_id = db.session.scalar(select(Person.merged_into_id).where(Person.id == person_id))
        if into_id is None:
            raise NotFound("no_person", "There is no such person.")
        person_id = into_id


def _locked_grant(cause_ref: str) -> CoverageGrant | None:
    """The grant, with its person locked; whose it is may change while we wait, where two people are made one."""
    query = select(CoverageGrant).where(CoverageGrant.cause_ref == cause_ref)
    grant, locked_id = db.session.scalar(query), None
    while grant is not None and grant.person_id != locked_id:
        locked_id = grant.person_id
        _lock(locked_id)
        db.session.refresh(grant)
    return grant


def _replace_spans(person_id: int) -> None:
    db.session.flush()
    db.session.execute(delete(CoverageSpan).where(CoverageSpan.person_id == person_id))
    db.session.add_all(
        CoverageSpan(person_id=person_id, grant_id=span.grant_id, starts_at=span.starts_at, ends_at=span.ends_at)
        for span in place(grants_of(person_id))
    )
    note_patron_time(person_id)


def note_patron_time(person_id: int) -> bool:
    """Write what has changed about when a person is a patron, after their coverage or a grace did; whether anything
    had. What an earlier version left unwritten is caught up with.
    """
    with transaction("patrons.note_patron_time"):
        _lock(person_id)  # two who each add what is missing would add it twice
        db.session.flush()
        added = patron_changes(patron_changes_of(person_id), patron_times_of(person_id))
        if not added:
            return False
        first_on = find_cohort(person_id) or day_of(added[0][0]).replace(day=1)
        db.session.add_all(
            PatronChange(person_id=person_id, starts_at=starts_at, ends_at=ends_at, delta=delta, cohort_on=first_on)
            for starts_at, ends_at, delta in added
        )
        db.session.flush()
    return True


def catch_up_patron_time(after_id: int, limit: int = 200) -> int | None:
    """Write what is missing of when people are patrons, for the next `limit` people above `after_id`; the id of the
    last one, None where there are no more. For an installation whose coverage is older than these rows.
    """
    ids = list_ever_covered(after_id, limit)
    with transaction("patrons.catch_up_patron_time"):
        for person_id in ids:
            note_patron_time(person_id)
    return ids[-1] if ids else None


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Two people turn out to be one: grants, graces and movements of both are one person's, placed anew."""
    del at
    with transaction("patrons.merge"):
        both = select(Person.id).where(Person.id.in_((from_id, into_id)))
        db.session.execute(both.order_by(Person.id).with_for_update())
        db.session.execute(delete(CoverageSpan).where(CoverageSpan.person_id == from_id))
        for model in (CoverageGrant, Grace, Movement, PatronChange):
            moved = update(model).where(model.person_id == from_id).values(person_id=into_id)
            db.session.execute(moved, execution_options={"synchronize_session": False})
        _replace_spans(into_id)
