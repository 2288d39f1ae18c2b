"""Reconcile finds what differs, mends it, says what it cannot mend, and survives being killed."""

from datetime import timedelta

import pytest
import requests
from click.testing import CliRunner
from sqlalchemy import select, text

from membership.billing import books, inspections, jobs, reconcile
from membership.billing.models import Bookmark, Inspection, Payment
from membership.billing.port import APP_STAMP, Listing
from membership.cli import main
from membership.contributions.models import Contribution
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import ProviderFailed
from membership.kernel.rhythm import Rhythm
from tests.faults.dark import AUTH, box, settings, story

__all__ = ["box", "settings", "story"]


def run(*, is_dry: bool = False) -> inspections.Inspected:
    db.session.rollback()
    return reconcile.go_on(reconcile.begin(clock.now(), clock.now() - reconcile.REACH, is_dry=is_dry))


def n_of(done: inspections.Inspected, end: str) -> int:
    return sum(counts.get(end, 0) for counts in done.counts.values())


def n_payments() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Payment.id)).all())


@pytest.fixture
def dark(story):
    """Three people paid, and no word of it ever came to us."""
    story.go_dark()
    story.control("faults", deliveries={"forget": 1})
    story.pay(2, Rhythm.MONTHLY)
    story.pay(1, Rhythm.ONCE)
    assert n_payments() == 0
    return story


def test_what_never_caused_a_notice_is_found_and_booked(dark):
    done = run()
    assert done.findings == ()
    assert n_of(done, "repaired") >= 3
    assert n_payments() == 3
    assert books.check(clock.now()) == []
    assert set(db.session.scalars(select(Contribution.state))) == {"active", "paid"}


def test_a_dry_run_says_what_differs_and_changes_nothing(dark):
    done = run(is_dry=True)
    assert done.n_findings >= 3
    assert any("a payment of" in finding.message and "is not booked" in finding.message for finding in done.findings)
    assert n_payments() == 0
    assert run().n_findings == 0
    assert run(is_dry=True).n_findings == 0


def test_a_second_run_finds_all_in_order(dark):
    run()
    again = run()
    assert n_of(again, "in order") >= 6
    assert (n_of(again, "repaired"), n_of(again, "wrong"), again.repairs) == (0, 0, ())


def test_things_without_our_stamp_are_foreign_and_touch_nothing(dark):
    run()
    form = {"email": "another.shop@example.org"}
    customer = requests.post(f"{dark.box.public_url}/v1/customers", data=form, auth=AUTH, timeout=20).json()["id"]
    attach = f"{dark.box.public_url}/v1/payment_methods/pm_card_visa/attach"
    card = requests.post(attach, data={"customer": customer}, auth=AUTH, timeout=20).json()["id"]
    price = {"currency": "eur", "unit_amount": 900, "recurring[interval]": "month", "product_data[name]": "Papers"}
    price_id = requests.post(f"{dark.box.public_url}/v1/prices", data=price, auth=AUTH, timeout=20).json()["id"]
    items = {"customer": customer, "default_payment_method": card, "items[0][price]": price_id}
    requests.post(f"{dark.box.public_url}/v1/subscriptions", data=items, auth=AUTH, timeout=20).raise_for_status()
    charge = next(row["charge"] for row in dark.books()["payments"] if row["amount"] == 900)
    dark.control("refund", charge=charge)
    before = n_payments()
    done = run()
    assert done.n_findings == 0
    assert done.counts["invoices"]["foreign"] == done.counts["subscriptions"]["foreign"] == 1
    assert done.counts["refunds"]["foreign"] == 1
    assert n_payments() == before


def test_a_thing_with_our_stamp_that_nobody_knows_stays_wrong_and_is_told(dark):
    run()
    other = {"amount": 500, "currency": "eur", "metadata[app]": APP_STAMP, "metadata[reference]": "con_of_nobody"}
    other |= {"confirm": "true", "payment_method": "pm_card_visa"}
    other |= {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
    made = requests.post(f"{dark.box.public_url}/v1/payment_intents", data=other, auth=AUTH, timeout=20)
    made.raise_for_status()
    done = run()
    assert done.n_findings == 1
    assert made.json()["id"] in done.findings[0].message
    assert "not known here" in done.findings[0].message
    assert inspections.find_last(inspections.RECONCILE).findings == done.findings


def test_support_that_the_provider_does_not_know_is_found(dark):
    run()
    db.session.execute(text("UPDATE contributions SET subscription_id = 'sub_of_nobody' WHERE id = 1"))
    db.session.commit()
    done = run(is_dry=True)
    assert any("sub_of_nobody" in finding.message for finding in done.findings)
    db.session.execute(text("UPDATE contributions SET reference = 'con_gone', checkout_id = NULL WHERE id = 1"))
    db.session.commit()
    done = run()
    assert any("sub_of_nobody" in each.message and "does not know it" in each.message for each in done.findings)


def test_support_that_ended_there_ends_here(dark):
    run()
    dark.control("cancel_subscription", subscription=dark.subscriptions()[0]["id"])
    done = run()
    assert done.n_findings == 0
    assert "it is ended, and active here" in "".join(repair.message for repair in done.repairs)
    assert sorted(db.session.scalars(select(Contribution.state))) == ["active", "ended", "paid"]


def test_a_run_that_is_killed_goes_on_with_the_next_page(dark, monkeypatch):
    dark.pay(6, Rhythm.MONTHLY)
    monkeypatch.setattr("membership.billing.providers.stripe.listing.PAGE", 2)
    provider = dark.app.extensions["membership.provider"]
    asked, whole = [], provider.list_objects

    def breaks_off(listing, since, cursor):
        asked.append((listing, cursor))
        if len(asked) == 3:
            raise ProviderFailed("provider_unreachable", "Gone.", retryable=True)
        return whole(listing, since, cursor)

    monkeypatch.setattr(provider, "list_objects", breaks_off)
    row_id = reconcile.begin(clock.now(), clock.now() - reconcile.REACH)
    with pytest.raises(ProviderFailed):
        reconcile.go_on(row_id)
    assert 0 < n_payments() < 9
    assert inspections.take_unfinished(inspections.RECONCILE) is None  # its holder may still be alive
    db.session.execute(text("UPDATE inspections SET lease_until = :then"), {"then": "2020-01-01 00:00:00+00:00"})
    db.session.commit()
    jobs.reconcile(clock.now())
    assert asked[3] == asked[2]
    assert asked[2][0] is Listing.INVOICES
    last = inspections.find_last(inspections.RECONCILE)
    assert last.n_findings == 0
    assert last.counts["invoices"]["repaired"] == 8
    assert n_payments() == 9
    assert books.check(clock.now()) == []


def test_it_runs_once_a_night_and_checks_the_whole_books_once(dark):
    for hours in range(0, 49, 2):
        jobs.reconcile(clock.now() + timedelta(hours=hours))
        jobs.check_books(clock.now() + timedelta(hours=hours))
    kinds = list(db.session.scalars(select(Inspection.kind)))
    assert (kinds.count("reconcile"), kinds.count("whole_books"), kinds.count("books")) == (2, 2, 25)
    assert n_payments() == 3


def test_a_night_in_which_the_provider_is_silent_is_made_up_for(dark, monkeypatch):
    run()
    provider, now = dark.app.extensions["membership.provider"], clock.now()
    jobs.check_books(now)
    silent = ProviderFailed("provider_unreachable", "Stripe gave no usable answer.", retryable=True)

    def say_nothing(since):
        raise silent

    monkeypatch.setattr(provider, "list_booked", say_nothing)
    monkeypatch.setattr(provider, "list_objects", lambda *_: say_nothing(None))
    jobs.check_books(now + timedelta(hours=25))
    jobs.reconcile(now)
    jobs.reconcile(now + timedelta(hours=25))
    assert [each.code for each in inspections.find_last(inspections.WHOLE_BOOKS).findings] == ["provider_silent"]
    n_nights = len(db.session.scalars(select(Inspection).where(Inspection.kind == "reconcile")).all())
    monkeypatch.undo()
    db.session.execute(text("UPDATE inspections SET lease_until = :then"), {"then": "2020-01-01 00:00:00+00:00"})
    db.session.commit()
    jobs.check_books(now + timedelta(hours=25, minutes=10))
    jobs.reconcile(now + timedelta(hours=25, minutes=10))
    assert inspections.find_last(inspections.WHOLE_BOOKS).n_findings == 0
    rows = db.session.scalars(select(Inspection).where(Inspection.kind == "reconcile")).all()
    assert len(rows) == n_nights
    assert all(row.finished_at for row in rows)


def test_what_is_wrong_in_the_books_is_told_until_it_is_mended(dark):
    run()
    now = clock.now()
    jobs.check_books(now)
    assert inspections.find_last(inspections.BOOKS).n_findings == 0
    db.session.execute(text("UPDATE payments SET charged_minor = charged_minor + 1 WHERE id = 1"))
    db.session.commit()
    for hours in (1, 30):
        jobs.check_books(now + timedelta(hours=hours))
        found = inspections.find_last(inspections.BOOKS).findings
        assert "payment_unlike_journal" in {each.code for each in found}
    assert db.session.get_one(Bookmark, inspections.BOOKS).at == now
    db.session.execute(text("UPDATE payments SET charged_minor = charged_minor - 1 WHERE id = 1"))
    db.session.commit()
    jobs.check_books(now + timedelta(hours=31))
    assert inspections.find_last(inspections.BOOKS).n_findings == 0


def test_the_command_says_what_it_did_and_whether_something_stays_wrong(dark, monkeypatch):
    monkeypatch.setattr("membership.cli._build_app", lambda: dark.app)
    command = main.get_command(None, "reconcile")

    def say(*arguments):
        done = CliRunner().invoke(command, arguments, obj=_script_info(dark.app))
        return done.exit_code, done.output

    code, words = say("--dry-run")
    assert code == 1
    assert "DIFFERS" in words
    assert "Without --dry-run they are mended." in words
    code, words = say()
    assert code == 0, words
    assert "Repaired: " in words
    assert "invoices: 2 repaired" in words
    code, words = say("--all")
    assert (code, "Our books say the same" in words) == (0, True)
    assert "invoices: 2 in order" in words
    code, words = say("--all", "--since", "2026-01-01")
    assert (code, "Either --since or --all." in words) == (2, True)


def _script_info(app):
    from flask.cli import ScriptInfo

    return ScriptInfo(create_app=lambda: app)


def test_of_two_workers_one_begins_the_night(dark):
    now = clock.now()
    inspections.move_bookmark("night reconcile", now - timedelta(days=2))
    assert inspections.pass_bookmark("night reconcile", now, now)
    assert not inspections.pass_bookmark("night reconcile", now, now)
    jobs.reconcile(now)
    assert inspections.find_last(inspections.RECONCILE) is None
