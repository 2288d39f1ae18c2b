"""Every form of the desk that succeeds leaves a row in the audit log, in the name of whoever sent it.

The list of forms comes from the map of addresses: a new one without a story in `desk_stories` fails here.
"""

import pytest
from sqlalchemy import select

from membership.accounts.queries import is_forgotten
from membership.audit import queries
from membership.audit.models import AuditEntry
from membership.db import db
from membership.sandbox.app import create_sandbox
from tests.factories.people import make_staff, sign_in
from tests.house.conftest import rules_of
from tests.house.desk_stories import CHANGES_NOTHING, STORIES, Desk, at_the_right_time
from tests.transfers.conftest import WAYS


@pytest.fixture(scope="module")
def newsroom(open_house):
    """A house that is no demo, with every way to give, in which a person decides about each line of a statement."""
    sandbox = create_sandbox()
    sandbox.start()
    house = open_house(demo=False, stripe_api_base=sandbox.public_url, book_certain_transfers=False, **WAYS)
    with house.app_context():
        make_staff("second@example.org", "owner")
    yield house
    sandbox.close()


def rows_after(number: int) -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.number > number).order_by(AuditEntry.number)))


def forms_of(app) -> set[str]:
    views = app.view_functions
    return {rule.endpoint for rule, _ in rules_of(app, "POST") if views[rule.endpoint].audience == "staff"}


def test_every_form_of_the_desk_has_its_story(newsroom):
    assert forms_of(newsroom) == set(STORIES) | set(CHANGES_NOTHING)
    assert set(STORIES) & set(CHANGES_NOTHING) == set()


@pytest.mark.parametrize("endpoint", STORIES)
def test_a_form_that_succeeds_leaves_a_row(newsroom, endpoint):
    story, action = STORIES[endpoint]
    with newsroom.app_context(), at_the_right_time(endpoint):
        owner = make_staff("owner@example.org", "owner")
        desk = Desk(newsroom.test_client(), owner)
        sign_in(desk.browser, owner.email)
        actor = f"staff:{owner.public_id}"
        path, fields = story(desk)
        matched = newsroom.url_map.bind("localhost").match(path, method="POST")[0]
        assert matched == endpoint
        before = queries.head().number
        answer = desk.send(path, fields)
        assert answer.status_code in {200, 303}, answer.get_data(as_text=True)
        assert "/staff/factor" not in (answer.location or "") or endpoint.startswith("factor.")
        written = [row for row in rows_after(before) if row.actor == actor]
        assert action in [row.action for row in written], [row.action for row in written]
        if "reason" in fields:
            assert fields["reason"] in {row.reason for row in written}


def test_after_all_of_it_the_chain_holds(newsroom):
    with newsroom.app_context():
        assert queries.find_fault(is_forgotten) is None
        assert queries.head().number > len(STORIES)
