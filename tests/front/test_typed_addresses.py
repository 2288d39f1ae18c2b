"""Whatever is typed into an address of the desk is answered, never with an error of the program."""

import pytest

from tests.factories.people import make_person, make_staff, sign_in

FAR = ("9999-12-31", "0001-01-01")
LARGE = str(2**63)


@pytest.fixture
def boss(app, client):
    make_staff("owner@example.org", "owner")
    sign_in(client, "owner@example.org")
    return client


@pytest.mark.parametrize("path", [
    *(f"/staff/people?{name}={day}" for name in ("joined_from", "joined_to") for day in FAR),
    *(f"/staff/inbox?day={day}" for day in FAR),
    "/staff/people?cups_from=00000000999999999999999999999999",
    "/staff/people?cups_to=4000000000",
])  # fmt: skip
def test_days_and_numbers_that_cannot_be_are_left_out(boss, path):
    assert boss.get(path).status_code == 200


@pytest.mark.parametrize("path", [
    f"/staff/statements/{LARGE}", f"/staff/mails/{LARGE}", f"/staff/factor/passkeys/{LARGE}/remove",
    f"/staff/statements/{2**31}",
])  # fmt: skip
def test_a_number_that_no_row_can_have_leads_nowhere(boss, path):
    assert boss.get(path).status_code == 404


def test_a_form_about_two_people_that_comes_back_was_read(boss):
    from membership.audit.models import AuditEntry
    from membership.db import db
    from tests.factories.people import any_token

    one, two = make_person("one@example.org"), make_person("two@example.org")
    fields = {"csrf_token": any_token(boss), "other": two.public_id, "reason": ""}
    assert boss.post(f"/staff/people/{one.public_id}/merge", data=fields).status_code == 422
    db.session.rollback()
    assert [row.about for row in db.session.query(AuditEntry).filter_by(action="person.read")] == [one.public_id]
