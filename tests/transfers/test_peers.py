"""What goes wrong with money beside the card elsewhere (the threads are named), and must not here."""

import pytest
import time_machine
from sqlalchemy import select

from membership.accounts.queries import find_person_by_email
from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.transfers import jobs, queries, services
from membership.transfers.rules.waiting import WAIT_FOR
from tests.factories.people import sign_in
from tests.transfers.conftest import announce, days_ago, fresh
from tests.transfers.statements import camt, entry
from tests.transfers.test_views import page, post


def test_an_announcement_with_money_behind_it_is_never_marked_as_expired(app):
    """Open Collective 6933: "many donations marked as expired even though the donation was received"."""
    found = announce()
    services.read_in(camt(entry("4.00", found.code, days_ago(0))), None, clock.now())
    with time_machine.travel(clock.real_now() + WAIT_FOR * 2, tick=False):
        assert jobs.lapse(clock.now()) is False
        fresh()
        assert db.session.get_one(Contribution, found.contribution.id).state == State.PAID


@pytest.mark.parametrize("changes", [{"book_certain_transfers": False}])
def test_many_transfers_are_never_to_be_booked_one_by_one(app, client, finance, changes):
    """Open Collective 6933: hosts could not mark bank transfers as paid in one go."""
    found = [announce(f"form-{n}", email=f"reader{n}@example.org") for n in range(5)]
    raw = camt(*(entry("4.00", each.code, days_ago(0), name=f"Reader {each.code}") for each in found))
    services.read_in(raw, None, clock.now())
    sign_in(client, "finance@example.org")
    assert page(client, "/staff/statements").count('name="line"') == len(found)
    ids = [line.id for line in queries.list_open_lines(10)]
    assert post(client, "/staff/statements/confirm", line=ids).status_code == 303
    fresh()
    assert len(db.session.scalars(select(Payment)).all()) == len(found)


@pytest.mark.parametrize("way", ["crypto", "bank", "paypal", "cash"])
def test_nobody_is_thanked_for_a_gift_whose_code_was_merely_shown(app, client, way):
    """Open Collective 4935: the thank-you mail left when the QR code was shown, before any money."""
    found = announce(way=way)
    source = page(client, f"/support/declared/{found.contribution.reference}")
    assert "Thank you" not in source.partition("<main")[2].partition("</main")[0]
    assert db.session.scalars(select(OutboxMail.kind)).all() == ["transfers/announced"]
    assert find_person_by_email("olena@example.org") is None
