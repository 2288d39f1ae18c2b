"""Who merges or leaves takes their own along: an address that they merely typed, or had once, may be a stranger's."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.accounts import jobs as accounts_jobs
from membership.accounts import services as accounts
from membership.accounts.models import Person
from membership.billing.models import InboxEvent, ProviderIntent
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db, transaction
from membership.gifts.models import Gift
from membership.kernel import clock
from membership.mail import services as mail
from membership.mail.models import OutboxMail
from tests.accounts.test_addresses import code_for
from tests.accounts.test_merging import make_contribution
from tests.factories.gifts import make_gift
from tests.factories.people import make_person

STRANGER = "stranger@example.org"


def forget(person) -> None:
    """Everything of it, also where no mail server is there for the farewell."""
    person_id = person.id
    accounts.begin_erasure(person_id, "system", None, clock.now())
    accounts_jobs.erase(clock.now() + timedelta(days=2))
    db.session.rollback()
    assert db.session.get(Person, person_id, populate_existing=True).is_gone


def give(person, email) -> int:
    """Support that was begun under an address, with the mail that asks to confirm it waiting; its row."""
    row = make_contribution(person, email)
    with transaction("test.give"):
        mail.send("contributions/confirm", email, "en", {"contribution_id": row.id})
    return row.id


def notice_of(email) -> str:
    """The row of a notice that names an address."""
    at = clock.real_now()
    name = f"evt_{email}"
    with transaction("test.notice"):
        row = InboxEvent(
            id=name, type="checkout.session.completed", object_kind="checkout.session", object_id="cs_test_1",
            created_at=at, signed_at=at, received_at=at, body=json.dumps({"email": email}).encode(), state="done",
            done_at=at,
        )  # fmt: skip
        db.session.add(row)
    return name


def ask_for_page(contribution_id) -> int:
    """An ask for a payment page that has had no answer; its row."""
    reference = db.session.get(Contribution, contribution_id).reference
    with transaction("test.ask_for_page"):
        row = ProviderIntent(
            kind="open_checkout", attempt_key=reference, idempotency_key=reference, reference=reference,
            request_digest="1" * 64, request={"reference": reference, "email": STRANGER}, state="sent",
            sent_at=clock.real_now(), lease_until=clock.real_now(),
        )  # fmt: skip
        db.session.add(row)
    return row.id


def row_of(contribution_id) -> tuple[int | None, str, str]:
    row = db.session.get(Contribution, contribution_id, populate_existing=True)
    return row.person_id, row.email, row.state


def waiting_for(address) -> list[str]:
    rows = select(OutboxMail.kind).where(OutboxMail.to_address == address, OutboxMail.state == "waiting")
    return list(db.session.scalars(rows))


def test_support_that_a_stranger_began_is_not_taken_by_who_typed_their_address(app):
    winner, loser = make_person(), make_person("second@example.org")
    typed, strangers = give(loser, STRANGER), give(None, STRANGER)
    accounts.merge(loser.id, winner.id, "One reader.", "system", clock.now())
    db.session.rollback()
    assert row_of(typed)[0] == winner.id
    assert row_of(strangers) == (None, STRANGER, State.STARTED.value)


def test_support_that_a_stranger_began_is_not_spoilt_by_who_typed_their_address(app):
    person = make_person()
    typed, strangers = give(person, STRANGER), give(None, STRANGER)
    forget(person)
    assert row_of(typed) == (person.id, "", State.ABANDONED.value)
    assert row_of(strangers) == (None, STRANGER, State.STARTED.value)


def test_mails_and_notices_of_a_stranger_stay_and_those_of_the_row_itself_go(app):
    person = make_person()
    give(person, STRANGER)
    accounts.ask(STRANGER, "en", "account", "a nonce")
    notice = notice_of(STRANGER)
    forget(person)
    assert waiting_for(STRANGER) == ["accounts/sign_in"]
    assert db.session.get(InboxEvent, notice).body is not None


def test_an_open_request_with_a_typed_address_is_given_up_by_its_row_and_a_strangers_is_not(app):
    person = make_person()
    own, strangers = ask_for_page(give(person, STRANGER)), ask_for_page(give(None, STRANGER))
    forget(person)
    requests = [db.session.get(ProviderIntent, row, populate_existing=True) for row in (own, strangers)]
    assert [(row.state, row.request is None) for row in requests] == [("refused", True), ("sent", False)]


def test_an_old_address_that_another_has_by_now_is_theirs(app):
    person = make_person()
    accounts.change_address(person.id, code_for(person), None)
    other = make_person("olena@example.org")
    theirs, notice = give(None, other.email), notice_of(other.email)
    forget(person)
    assert "contributions/confirm" in waiting_for(other.email)
    assert row_of(theirs) == (None, "olena@example.org", State.STARTED.value)
    assert db.session.get(InboxEvent, notice).body is not None


@pytest.mark.parametrize("longer", ["joann@example.org", "ann@example.org.ua"])
def test_an_address_within_a_longer_one_is_another_address(app, longer):
    person = make_person("ann@example.org")
    own, other = notice_of("ann@example.org"), notice_of(longer)
    forget(person)
    assert db.session.get(InboxEvent, own, populate_existing=True).body is None
    assert db.session.get(InboxEvent, other, populate_existing=True).body is not None


def test_a_giver_who_leaves_empties_the_gift_and_no_other_mail_of_its_receiver(app):
    gift = make_gift(receiver_email=STRANGER, receiver_name="Ann", send_at=clock.now())
    with transaction("test.mails"):
        db.session.get(Gift, gift.id).sent_at = clock.now()
        mail.send("gifts/for_you", STRANGER, "en", {"gift_id": gift.id})
        mail.send("accounts/sign_in", STRANGER, "en", {"request_id": 7})
        for row in db.session.scalars(select(OutboxMail).where(OutboxMail.to_address == STRANGER)):
            row.state, row.done_at = "sent", clock.real_now()
    forget(db.session.get(Person, gift.giver_id))
    row = db.session.get(Gift, gift.id, populate_existing=True)
    assert (row.receiver_email, row.receiver_name) == (None, None)
    kept = select(OutboxMail.kind).where(OutboxMail.to_address == STRANGER)
    assert db.session.scalars(kept).all() == ["accounts/sign_in"]
