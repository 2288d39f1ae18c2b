"""Comps: granted and taken back by staff with a reason, told by mail, over by themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from membership.accounts.models import TimelineEntry
from membership.billing.models import JournalTransaction
from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.mail.models import OutboxMail
from membership.patrons import emails, services
from membership.patrons.models import CoverageGrant
from membership.patrons.queries import comps_of, standing_of
from membership.patrons.rules import Cause, Why
from tests.factories.people import make_person

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A_MONTH = timedelta(days=30)
STAFF = "staff:per_finance"


def grant(person, until=NOW + A_MONTH, token="press-1", reason="Spoke at our evening", at=NOW):
    return services.grant_comp(person.id, until, token, reason=reason, actor=STAFF, at=at)


def revoke(person, cause_ref, at=NOW + timedelta(days=3)):
    services.revoke_comp(person.id, cause_ref, reason="By mistake", actor=STAFF, at=at)


def notes(person):
    rows = db.session.scalars(select(TimelineEntry).where(TimelineEntry.person_id == person.id)).all()
    return [(row.kind, row.actor, row.details.get("reason")) for row in rows]


def kinds():
    return db.session.scalars(select(OutboxMail.kind).order_by(OutboxMail.id)).all()


def test_a_comp_covers_until_its_day_and_ends_by_itself(app):
    person = make_person()
    grant(person)
    during, after = standing_of(person.id, NOW), standing_of(person.id, NOW + A_MONTH)
    assert (during.is_patron, during.why, during.until) == (True, Why.COMP, NOW + A_MONTH)
    assert (after.is_patron, after.why) == (False, Why.ENDED)
    assert notes(person) == [("comp_granted", STAFF, "Spoke at our evening")]
    assert kinds() == ["patrons/comp"]


def test_a_comp_moves_no_money(app):
    grant(make_person())
    assert db.session.scalar(select(func.count()).select_from(JournalTransaction)) == 0


def test_a_double_click_grants_once(app):
    person = make_person()
    assert grant(person) == grant(person)
    assert (len(comps_of(person.id)), kinds()) == (1, ["patrons/comp"])


def test_a_comp_taken_back_ends_at_once_and_paid_time_stays(app):
    person = make_person()
    with transaction("test.paid"):
        services.grant_period(
            person.id, Cause.PAID, "payment:1", paid_at=NOW, starts_at=NOW, ends_at=NOW + timedelta(days=10)
        )
    comp = grant(person)
    revoke(person, comp)
    standing = standing_of(person.id, NOW + timedelta(days=3))
    assert (standing.why, standing.until) == (Why.PAID, NOW + timedelta(days=10))
    assert emails.comp_revoked({"comp": comp}, NOW + timedelta(days=3))["covered_until"] == standing.until
    assert emails.comp({"comp": comp}, NOW) is None, "a mail that is out of date is not sent"
    assert kinds() == ["patrons/comp", "patrons/comp_revoked"]
    assert notes(person)[1] == ("comp_revoked", STAFF, "By mistake")
    with pytest.raises(Conflict):
        revoke(person, comp)


def test_months_that_were_paid_for_are_not_used_up_by_a_comp(app):
    person = make_person()
    with transaction("test.paid"):
        services.grant_months(person.id, Cause.PAID, "payment:1", paid_at=NOW - timedelta(days=1), n_months=2)
    before = standing_of(person.id, NOW).until
    grant(person)
    assert standing_of(person.id, NOW).until == before + A_MONTH


@pytest.mark.parametrize("until", [NOW, NOW - A_MONTH, NOW + timedelta(days=732)])
def test_an_end_that_is_over_or_out_of_sight_is_refused(app, until):
    person = make_person()
    with pytest.raises(InvalidInput) as refused:
        grant(person, until)
    assert refused.value.field == "until"
    assert comps_of(person.id) == []


def test_nothing_happens_without_a_reason(app):
    person = make_person()
    with pytest.raises(InvalidInput):
        grant(person, reason="  \u200b ")
    assert (comps_of(person.id), kinds(), notes(person)) == ([], [], [])


def test_money_is_never_taken_back_as_a_comp(app):
    person, other = make_person(), make_person("ivan@example.org")
    with transaction("test.paid"):
        services.grant_months(person.id, Cause.PAID, "payment:1", paid_at=NOW, n_months=2)
    comp = grant(other)
    for cause_ref in ("payment:1", comp, "comp:unknown"):
        with pytest.raises(NotFound):
            revoke(person, cause_ref)
    assert db.session.scalar(select(func.count()).where(CoverageGrant.revoked_at.is_not(None))) == 0
