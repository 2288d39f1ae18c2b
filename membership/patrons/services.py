"""The only writers of coverage, grace and movements. Each joins the transaction of the money that caused it."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.kernel.money import Money
from membership.kernel.words import one_line
from membership.mail import services as mail
from membership.patrons.models import CoverageGrant, CoverageSpan, Grace, Movement
from membership.patrons.queries import grants_of
from membership.patrons.rules import Cause, MovementKind, movement_kind, place

# A comp has an end that somebody will live to see; staff write reasons in one line.
LONGEST_COMP = timedelta(days=731)
LONGEST_REASON = 200


def grant_period(
    person_id: int, cause: Cause, cause_ref: str, *, paid_at: datetime, starts_at: datetime, ends_at: datetime
) -> None:
    """Cover exactly `[starts_at, ends_at)`. The same `cause_ref` a second time changes nothing."""
    _grant(
        CoverageGrant(
            person_id=person_id,
            cause=cause.value,
            cause_ref=cause_ref,
            paid_at=paid_at,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    )


def grant_months(person_id: int, cause: Cause, cause_ref: str, *, paid_at: datetime, n_months: int) -> None:
    """Cover `n_months` (at least one) of time not otherwise covered. Idempotent by `cause_ref`."""
    _grant(
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
        person = db.session.get_one(Person, person_id)
        _lock(person_id)
        if db.session.scalar(select(CoverageGrant.id).where(CoverageGrant.cause_ref == cause_ref)) is not None:
            return cause_ref
        details = {"comp": cause_ref, "until": until.isoformat(), "reason": _said(reason)}
        grant_period(person_id, Cause.COMP, cause_ref, paid_at=at, starts_at=at, ends_at=until)
        accounts.note(person_id, "comp_granted", at, details, actor)
        _tell_of_comp("patrons/comp", person, cause_ref, is_bulk=is_bulk)
    return cause_ref


def revoke_comp(
    person_id: int, cause_ref: str, *, reason: str, actor: str, at: datetime, is_bulk: bool = False
) -> None:
    """Take a comp back from `at` on; the person is mailed (later, where `is_bulk`). Raises NotFound `no_comp`, Conflict
    `comp_over`, and InvalidInput `no_reason`.
    """
    mine = (CoverageGrant.cause_ref == cause_ref) & (CoverageGrant.person_id == person_id)
    with transaction("patrons.revoke_comp"):
        _lock(person_id)
        grant = db.session.scalar(select(CoverageGrant).where(mine, CoverageGrant.cause == Cause.COMP.value))
        if grant is None or grant.ends_at is None:
            raise NotFound("no_comp", "There is no such free membership.")
        if grant.revoked_at is not None or grant.ends_at <= at:
            raise Conflict("comp_over", "This free membership is over already.")
        details = {"comp": cause_ref, "reason": _said(reason)}
        revoke(cause_ref, at)
        accounts.note(person_id, "comp_revoked", at, details, actor)
        _tell_of_comp("patrons/comp_revoked", db.session.get_one(Person, person_id), cause_ref, is_bulk=is_bulk)


def _said(reason: str) -> str:
    said = one_line(reason)[:LONGEST_REASON]
    if not said:
        raise InvalidInput("no_reason", "Please say why.", field="reason")
    return said


def _tell_of_comp(kind: str, person: Person, cause_ref: str, *, is_bulk: bool) -> None:
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
        row = db.session.scalar(select(Grace).where(Grace.reference == reference, Grace.closed_at.is_(None)))
        if row is None:
            db.session.add(Grace(person_id=person_id, reference=reference, opened_at=opened_at, until=until))
        elif is_first or opened_at < row.opened_at:
            row.opened_at, row.until = opened_at, until


def close_grace(reference: str, at: datetime) -> None:
    """End the open grace of a contribution, if there is one."""
    with transaction("patrons.close_grace"):
        db.session.execute(
            update(Grace).where(Grace.reference == reference, Grace.closed_at.is_(None)).values(closed_at=at)
        )


def move_to(person_id: int, reference: str, level: Money, at: datetime) -> MovementKind | None:
    """Say that `reference` now gives `level` a year (zero: nothing); writes the movement, if there is one.

    Returns its kind, None where the level is what it was. Changing currency is a loss and a new start.
    """
    with transaction("patrons.move_to"):
        _lock(person_id)
        kind = None
        for currency, before in _levels(reference).items():
            if currency != level.currency and before:
                _move(person_id, reference, Money(-before, currency), MovementKind.LOST, at)
        before = _levels(reference).get(level.currency, 0)
        kind = movement_kind(before, level.minor, has_left_before=_has_left(person_id))
        if kind:
            _move(person_id, reference, Money(level.minor - before, level.currency), kind, at)
        return kind


def _move(person_id: int, reference: str, delta: Money, kind: MovementKind, at: datetime) -> None:
    db.session.add(
        Movement(
            person_id=person_id,
            reference=reference,
            kind=kind.value,
            at=at,
            yearly_delta_minor=delta.minor,
            currency=delta.currency,
        )
    )
    db.session.flush()


def _levels(reference: str) -> dict[str, int]:
    rows = db.session.execute(
        select(Movement.currency, func.sum(Movement.yearly_delta_minor))
        .where(Movement.reference == reference)
        .group_by(Movement.currency)
    )
    return {currency: int(total) for currency, total in rows}


def _has_left(person_id: int) -> bool:
    left = select(Movement.id).where(Movement.person_id == person_id, Movement.kind == MovementKind.LOST.value)
    return db.session.scalar(left.limit(1)) is not None


def _grant(grant: CoverageGrant) -> None:
    with transaction("patrons.grant"):
        _lock(grant.person_id)
        known = select(CoverageGrant.id).where(CoverageGrant.cause_ref == grant.cause_ref)
        if db.session.scalar(known) is not None:
            return
        db.session.add(grant)
        db.session.flush()
        _replace_spans(grant.person_id)


def _lock(person_id: int) -> None:
    """Two payments of one person take turns, so that each places its months knowing the other's."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


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


def merge(from_id: int, into_id: int, at: datetime) -> None:
    """Two people turn out to be one: grants, graces and movements of both are one person's, placed anew."""
    del at
    with transaction("patrons.merge"):
        for person_id in sorted((from_id, into_id)):
            _lock(person_id)
        db.session.execute(delete(CoverageSpan).where(CoverageSpan.person_id == from_id))
        for model in (CoverageGrant, Grace, Movement):
            moved = update(model).where(model.person_id == from_id).values(person_id=into_id)
            db.session.execute(moved, execution_options={"synchronize_session": False})
        _replace_spans(into_id)
