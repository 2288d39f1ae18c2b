"""check-books finds whatever does not hold in coverage, supports and mails, whole and where it was booked lately."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from membership.billing import books
from membership.db import db
from membership.kernel import clock
from membership.kernel.rhythm import Rhythm
from tests.faults.dark import box, settings, story

__all__ = ["box", "settings", "story"]


def codes(since=None) -> set[str]:
    db.session.rollback()
    return {finding.code for finding in books.prove(books.Scope(since)).findings}


def change(statement: str) -> None:
    db.session.rollback()
    assert db.session.execute(text(statement)).rowcount >= 1, statement
    db.session.commit()


# What somebody changed in the tables, what finds it, and whether that is asked about the newest bookings alone, too.
DAMAGE = {
    "a span was lengthened": (
        "UPDATE coverage_spans SET ends_at = '2030-01-01 00:00:00+00:00' WHERE id = 1", "coverage_differs", False,
    ),
    "a span is gone": ("DELETE FROM coverage_spans WHERE id = 1", "coverage_differs", False),
    "a paid period covers longer": (
        "UPDATE coverage_grants SET ends_at = '2030-01-01 00:00:00+00:00' WHERE starts_at IS NOT NULL",
        "payment_coverage", True,
    ),
    "a gift covers a month more": (
        "UPDATE coverage_grants SET n_months = n_months + 1 WHERE n_months IS NOT NULL", "payment_coverage", True,
    ),
    "a payment covers nobody": (
        "UPDATE coverage_grants SET cause_ref = 'payment:other' WHERE id = 1", "payment_coverage", True,
    ),
    "a payment covers somebody else": (
        "UPDATE coverage_grants SET person_id = 2 WHERE person_id = 1", "payment_coverage", True,
    ),
    "coverage was taken back without a refund": (
        "UPDATE coverage_grants SET revoked_at = paid_at WHERE id = 1", "revoked_coverage", True,
    ),
    "one person has two live supports": (
        "UPDATE contributions SET person_id = 1 WHERE rhythm <> 'once'", "two_live_supports", True,
    ),
    "a receipt is not in the outbox": (
        "DELETE FROM outbox_mails WHERE id = (SELECT max(id) FROM outbox_mails WHERE kind = 'contributions/receipt')",
        "receipt_not_mailed", True,
    ),
    "a welcome is not in the outbox": (
        "DELETE FROM outbox_mails WHERE kind = 'contributions/welcome'", "not_welcomed", True,
    ),
    "somebody is a patron for longer than is written": (
        "UPDATE coverage_spans SET ends_at = '2030-01-01 00:00:00+00:00' WHERE id = 1", "patron_time_differs", False,
    ),
    "money lies elsewhere than it came": (
        "UPDATE payments SET way = 'bank' WHERE id = 1", "payment_unlike_journal", True,
    ),
}  # fmt: skip


@pytest.fixture
def three(story):
    story.pay(2, Rhythm.MONTHLY)
    story.pay(1, Rhythm.ONCE)
    story.hear()
    assert codes() == codes(clock.now() - timedelta(hours=1)) == set()
    return story


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found(three, what):
    statement, code, is_found_lately = DAMAGE[what]
    change(statement)
    assert code in codes()
    assert (code in codes(clock.now() - timedelta(hours=1))) is is_found_lately
    assert codes(clock.now() + timedelta(hours=1)) <= {"two_live_supports"}


def test_a_second_live_support_that_is_flagged_is_no_fault(three):
    change("UPDATE contributions SET person_id = 1 WHERE rhythm <> 'once'")
    change("UPDATE contributions SET second_of = 'con_1' WHERE id = 2 AND rhythm <> 'once'")
    assert "two_live_supports" in codes()  # what it names is nowhere
    change("UPDATE contributions SET reference = 'con_1' WHERE id = 1")
    assert "two_live_supports" not in codes()


def test_somebody_who_is_gone_is_owed_no_mail(three):
    change("DELETE FROM outbox_mails")
    assert {"receipt_not_mailed", "not_welcomed"} <= codes()
    change("UPDATE people SET email = 'gone-' || id || '@erased.invalid'")
    assert codes() == set()


def test_the_provider_s_lists_say_the_same_of_our_payments_as_its_own_books(three):
    paid = [row for row in three.books()["payments"] if row["charge"]]
    three.control("refund", charge=paid[0]["charge"], amount=100)
    three.control("dispute", charge=paid[1]["charge"])
    three.control("decide", dispute=three.control("dispute", charge=paid[2]["charge"])["id"], outcome="won")
    provider = three.app.extensions["membership.provider"]
    by_lists = {(r.payment_id, r.reference, r.charged, r.returned) for r in provider.list_booked_by_lists(None)}
    by_books = {(r.payment_id, r.reference, r.charged, r.returned) for r in provider.list_booked()}
    assert by_lists == by_books
    assert len(by_lists) == 3
    recent = provider.list_booked_by_lists(clock.now() + timedelta(days=1))
    assert list(recent) == []


def test_what_is_in_our_books_alone_is_found_by_asking_for_it(three, monkeypatch):
    provider = three.app.extensions["membership.provider"]
    monkeypatch.setattr(provider, "list_booked", provider.list_booked_by_lists)
    since = clock.now() - timedelta(days=1)
    assert books.examine(clock.now(), since).findings == []
    whole = provider.list_booked_by_lists
    monkeypatch.setattr(provider, "list_booked", lambda since: (row for row in list(whole(since))[1:]))
    assert books.examine(clock.now(), since).findings == []  # a list has edges; the thing itself is there
    monkeypatch.setattr(provider, "list_booked", whole)
    change("UPDATE payments SET provider_id = 'in_of_nobody' WHERE id = 1")
    found = {each.code for each in books.examine(clock.now(), since).findings}
    assert {"only_ours", "not_booked"} <= found
