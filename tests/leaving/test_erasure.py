"""Deletion: afterwards no address, name or typed word of the person is left, and the books are what they were."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from membership.accounts import jobs as accounts_jobs
from membership.accounts import services as accounts
from membership.accounts.models import AddressChange, Erasure, Person, Session
from membership.accounts.queries import is_forgotten
from membership.audit.models import AuditEntry
from membership.audit.queries import find_fault
from membership.billing import books
from membership.billing.models import JournalEntry, Payment
from membership.contributions import jobs as contributions_jobs
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict, ProviderFailed
from membership.mail import jobs as mail_jobs
from membership.mail.models import OutboxMail
from membership.patrons import services as patrons
from membership.patrons.queries import n_patrons
from membership.topics.models import Topic
from tests.contributions.test_way import fill_in
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.factories.polls import NOW, cast_ballot, close_poll, make_patron, make_poll
from tests.factories.support import ask, order_fault
from tests.leaving.story import (
    FIRST,
    MARK,
    PUBLIC_TITLE,
    SECOND,
    code_in_mail,
    columns_of_words,
    columns_with,
    deliver_news,
    everything,
    files_with,
    give,
    post,
    words_of,
)

A_WEEK = timedelta(days=7, minutes=5)

# Columns in which no reader's words can come to stand: names that we draw, words of a fixed list, hashes, addresses
# of pages that we make, and what staff write. By how they end …
OURS_BY_NAME = (
    "_id", "_hash", "_digest", "_key", "_ref", "_by", "_number", "_nonce", "_token", "_stage", "_place", "_body",
    "actor", "state", "kind", "locale", "rhythm", "currency", "reference", "cause", "way", "about", "purpose", "token",
    "fingerprint", "stage", "account", "digest", "way", "id",
)  # fmt: skip
# … or by their place.
OURS = {
    ("payment_failures", "reason"): "a machine word of the provider",
    ("payment_reversals", "reason"): "a machine word",
    ("contributions", "failure_reason"): "a machine word",
    ("contributions", "checkout_url"): "an address of the provider's page",
    ("contributions", "second_of"): "a reference",
    ("provider_intents", "url"): "an address of the provider's page",
    ("provider_intents", "request"): "emptied with the answer; see the test of an open one",
    ("provider_intents", "result"): "ids and addresses of pages",
    ("provider_intents", "error"): "a code",
    ("provider_intents", "subject"): "an id",
    ("inbox_events", "type"): "the provider's word",
    ("inbox_events", "api_version"): "the provider's word",
    ("inbox_events", "last_error"): "our sentence",
    ("inbox_events", "traceback"): "emptied with the body",
    ("forgotten_names", "name"): "ids of the provider",
    ("outbox_mails", "args"): "ids only (mail.services refuses the rest)",
    ("outbox_mails", "failure"): "a fixed word",
    ("outbox_mails", "last_error"): "our sentence",
    ("broadcasts", "audience"): "a name of ours",
    ("broadcasts", "source"): "a name of ours",
    ("broadcasts", "args"): "ids only",
    ("confirmations", "network"): "an HMAC; the row goes",
    ("confirmations", "mail_domain"): "an HMAC; the row goes",
    ("stance_changes", "stance"): "a fixed word",
    ("heartbeats", "name"): "a name of ours",
    ("topics", "stage_before_merge"): "a fixed word",
    ("gifts", "nonce"): "random",
    ("cards", "brand"): "the provider's word; the row goes",
    ("cards", "last4"): "the row goes",
    ("refunds", "reason"): "words of staff, emptied",
    ("refunds", "error"): "a code",
    ("erasures", "reason"): "words of staff, emptied",
    ("approvals", "act"): "a fixed word",
    ("approvals", "role"): "a fixed word",
    ("approvals", "reason"): "of staff; gone when it is settled, within three days",
    ("staff_members", "role"): "a fixed word",
    ("staff_members", "name"): "of staff, who are not erased as such",
    ("sessions", "data"): "the row goes",
    ("timeline_entries", "details"): "ids, amounts and words of staff, emptied",
    ("topic_events", "words"): "words of staff",
    ("topic_events", "details"): "ids",
    ("topics", "story_url"): "words of staff",
    ("topics", "story_title"): "words of staff",
    ("correction_passages", "headline"): "words of staff, public",
    ("correction_passages", "before_words"): "words of staff, public",
    ("correction_passages", "after_words"): "words of staff, public",
    ("correction_passages", "reply"): "words of staff, emptied; tests/corrections has it",
    ("correction_events", "details"): "ids",
    ("appeal_counts", "appeal"): "a name of ours, of a fixed shape",
    ("appeal_counts", "variant"): "a letter",
    ("appeal_counts", "event"): "a word of a fixed list",
    ("rate_counters", "key"): "an HMAC",
    ("rate_counters", "hits"): "numbers",
    ("statement_lines", "source"): "the form of a file",
    ("statement_lines", "payer_name"): "from the bank; tests/transfers erases it",
    ("statement_lines", "payer_account"): "from the bank; tests/transfers erases it",
    ("statement_lines", "remittance"): "from the bank; tests/transfers erases it",
    ("statement_lines", "reason"): "words of staff, emptied",
    ("statement_lines", "identity"): "a digest",
    ("statement_lines", "why"): "a fixed word",
    ("address_changes", "old_email"): "planted by the story, gone with the row",
    ("known_payers", "account_end"): "four characters; the row goes, tests/transfers erases it",
    ("tags", "name"): "words of staff about many; the row of a person goes",
    ("tags", "plain_name"): "the same",
    ("segments", "name"): "words of staff about a filter",
    ("segments", "plain_name"): "the same",
    ("segments", "query"): "a filter without what was typed",
    ("people_runs", "query"): "the same",
    ("people_runs", "reason"): "words of staff about many people at once",
    ("people_run_items", "why"): "a fixed word",
    ("interventions", "subject"): "an id",
    ("interventions", "reason"): "words of staff about a notice or a mail; addresses are refused",
    ("audit_entries", "action"): "a word of ours",
    ("audit_entries", "subject"): "an id of ours",
    ("audit_entries", "reason"): "words of staff, emptied; see the test of an owner",
    ("audit_entries", "reason_salt"): "random, emptied",
    ("audit_entries", "before"): "ids, amounts, names of fields (audit.rules refuses the rest)",
    ("audit_entries", "after"): "ids, amounts, names of fields (audit.rules refuses the rest)",
    ("audit_entries", "previous"): "a hash",
    ("audit_entries", "hash"): "a hash",
    ("sessions", "browser"): "words of ours for a kind of browser; the row goes",
    ("staff_sessions", "method"): "a fixed word",
    ("totp_secrets", "sealed"): "of staff; gone when they leave it",
    ("passkeys", "public_key"): "of staff; gone when they leave it",
    ("passkeys", "name"): "of staff; gone when they leave it",
}
NO_READER = ("polls", "poll_", "counted_ballots", "sealed_ballots", "ballot_commitments", "chain_links",
             "statement_mappings", "transfer_declarations", "inspections", "bookmarks", "findings", "day_sums",
             "stale_days", "rollup_", "exchange_rates", "frozen_rates", "pictures", "settings_versions",
             "examinations", "daily_counts", "silences", "appeals", "appeal_variants", "appeal_events")  # fmt: skip


def is_explained(place) -> bool:
    table, column = place
    return place in OURS or table.startswith(NO_READER) or column == "id" or column.endswith(OURS_BY_NAME)


def totals() -> dict:
    """What must be the same before and after."""
    journal = db.session.execute(
        select(JournalEntry.account, JournalEntry.currency, func.sum(JournalEntry.amount_minor)).group_by(
            JournalEntry.account, JournalEntry.currency
        )
    )
    receipts = db.session.scalars(select(Payment.receipt_number).order_by(Payment.receipt_number))
    return {"journal": sorted(tuple(row) for row in journal), "receipts": list(receipts)}


def ask_to_be_forgotten(client) -> None:
    """Through the pages, with the code from the mail."""
    assert post(client, "/account/data/delete").location == "/account/data/delete/code"
    answer = post(client, "/account/data/delete/code", code=code_in_mail())
    assert (answer.status_code, answer.location) == (303, "/account/deleted")


def forget_everything(server) -> None:
    """What the worker does: the provider is told, the last mail leaves, the columns are emptied."""
    accounts_jobs.erase(clock.now())
    mail_jobs.sweep(clock.now())
    accounts_jobs.erase(clock.now())
    db.session.rollback()


def test_after_it_no_address_name_or_typed_word_is_left_and_totals_are_unchanged(
    app, client, sandbox, server, tmp_path
):
    support = everything(client, sandbox)
    mail_jobs.sweep(clock.now())
    was_patron_at = clock.now()
    person_id, subscription_id, customer_id = support.person_id, support.subscription_id, support.customer_id
    planted = columns_with()
    # Every field that a reader can fill was filled: a new column is here, or says why not.
    assert {place for place in columns_of_words() - planted if not is_explained(place)} == set()
    before, n_before = totals(), n_patrons(was_patron_at)
    server.taken.clear()
    with time_machine.travel(clock.real_now() + A_WEEK, tick=True):  # since the address was changed
        ask_to_be_forgotten(client)
        forget_everything(server)
    erasure = db.session.get(Erasure, person_id)
    assert None not in {erasure.left_at, erasure.emptied_at, erasure.done_at}
    assert columns_with() == set()
    assert files_with(tmp_path) == set()
    assert [each.rcpt_tos for each in server.taken][-1:] == [[SECOND]]  # the last mail of all
    assert (totals(), n_patrons(was_patron_at)) == (before, n_before)
    assert books.check(clock.now()) == []
    # What is public stays, without a name.
    assert db.session.scalar(select(Topic.title).where(Topic.title == PUBLIC_TITLE)) == PUBLIC_TITLE
    assert ask(sandbox, f"subscriptions/{subscription_id}")["status"] == "canceled"
    assert ask(sandbox, f"customers/{customer_id}")["deleted"]
    # News that comes late brings nothing back, whether new or told again.
    deliver_news(client, sandbox)
    deliver_news(client, sandbox, "again")
    accounts_jobs.erase(clock.now())
    assert columns_with() == set()
    assert db.session.query(Person).count() == 1
    assert totals() == before
    assert books.check(clock.now()) == []


def test_whoever_is_being_forgotten_is_signed_out_at_once_and_cannot_come_back(app, client):
    make_person()
    sign_in(client)
    other = app.test_client()
    sign_in(other)
    post(client, "/account/data/delete")
    post(client, "/account/data/delete/code", code=code_in_mail())
    assert client.get("/account").status_code == 303
    assert other.get("/account").status_code == 303
    assert db.session.query(Session).count() == 0


def test_without_the_code_nothing_is_deleted(app, client):
    person = make_person()
    sign_in(client)
    post(client, "/account/data/delete")
    code = code_in_mail()
    assert (
        post(client, "/account/data/delete/code", code="00000000" if code != "00000000" else "1" * 8).status_code == 422
    )
    assert post(client, "/account/data/delete/code", code="").status_code == 422
    db.session.rollback()
    assert db.session.get(Erasure, person.id) is None


def test_a_thief_who_has_just_changed_the_address_cannot_delete_the_account(app, client):
    person = make_person()
    sign_in(client)
    post(client, "/account/email", email="thief@example.org")
    post(client, "/account/email/code", code=code_in_mail())
    page = post(client, "/account/data/delete")
    assert page.status_code == 409
    assert "seven days" in page.get_data(as_text=True)
    with pytest.raises(Conflict):
        accounts.erase_self(person.id, "12345678", clock.now())


def test_who_works_here_is_taken_off_the_staff_first(app):
    boss = make_staff("boss@example.org", "owner")
    with pytest.raises(Conflict) as error:
        accounts.begin_erasure(boss.id, "member", None, clock.now())
    assert error.value.code == "erase_staff"


def test_nothing_is_emptied_before_the_provider_has_forgotten_them(app, client, sandbox, server):
    support = _patron(client, sandbox)
    order_fault(sandbox, "DELETE /v1/customers/*", "503", times=3)
    accounts.begin_erasure(support.person_id, "member", None, clock.now())
    accounts_jobs.erase(clock.now())
    mail_jobs.sweep(clock.now())
    accounts_jobs.erase(clock.now())
    db.session.rollback()
    for _ in range(6):
        if (row := db.session.get(Erasure, support.person_id, populate_existing=True)).done_at:
            break
        assert row.emptied_at is None or row.left_at is not None
        _let_the_lease_run_out()
        accounts_jobs.erase(clock.now())
    assert db.session.get(Erasure, support.person_id, populate_existing=True).done_at
    assert ask(sandbox, f"customers/{support.customer_id}")["deleted"]


def _let_the_lease_run_out() -> None:
    """The sender of an ask owns it for some seconds; wait for that by the clock of the database's rows."""
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE provider_intents SET lease_until = sent_at"))


def _patron(client, sandbox) -> Contribution:
    from tests.factories.checkout import GOOD_CARD, pay
    from tests.leaving.story import come_back

    come_back(client, pay(give(client, email=FIRST), GOOD_CARD))
    return db.session.scalar(select(Contribution).where(Contribution.email == FIRST))


def test_a_mail_server_that_is_down_keeps_an_address_for_a_day_at_most(app):
    person = make_person()
    accounts.begin_erasure(person.id, "member", None, clock.now())
    accounts_jobs.erase(clock.now())
    assert db.session.get(Erasure, person.id, populate_existing=True).emptied_at is None
    accounts_jobs.erase(clock.now() + timedelta(days=1, minutes=1))
    assert db.session.get(Person, person.id, populate_existing=True).is_gone
    row = db.session.scalar(select(OutboxMail).where(OutboxMail.kind == "accounts/farewell"))
    assert (row.to_address, row.state) == (None, "dropped")


def test_it_may_die_after_every_step_and_goes_on(app, monkeypatch):
    person = make_person()
    calls = []
    monkeypatch.setitem(app.extensions, "membership.leavers", (lambda person_id, key: calls.append(key),))
    accounts.begin_erasure(person.id, "member", None, clock.now())
    late = clock.now() + timedelta(days=2)
    for step in ("accounts.erasure_step:before-commit", "accounts.erase:before-commit", "accounts.erase:after-commit"):
        with _dying_at(step, monkeypatch), pytest.raises(_Died):
            accounts_jobs.erase(late)
        db.session.rollback()
    accounts_jobs.erase(late)
    row = db.session.get(Erasure, person.id, populate_existing=True)
    assert row.done_at == late
    assert set(calls) == {f"erasure:{person.id}"}  # always the same key, so that nothing is asked twice
    assert db.session.get(Person, person.id, populate_existing=True).is_gone


class _Died(BaseException):
    pass


def _dying_at(step, monkeypatch):
    from contextlib import contextmanager

    from membership.kernel import faults

    @contextmanager
    def dying():
        def point(name):
            if name == step:
                raise _Died(step)

        with monkeypatch.context() as patch:
            patch.setattr(faults, "point", point)
            yield

    return dying()


def test_money_that_comes_after_it_lands_in_the_books_and_with_nobody(app, client, sandbox, server):
    page = give(client, email=FIRST, rhythm="once")
    person = make_person(FIRST)
    reference = db.session.scalar(select(Contribution.reference))
    accounts.begin_erasure(person.id, "member", None, clock.now())
    from tests.factories.checkout import GOOD_CARD, pay

    pay(page, GOOD_CARD)  # just before the page is closed
    mail_jobs.sweep(clock.now())
    forget_everything(server)
    _let_the_lease_run_out()
    forget_everything(server)
    deliver_news(client, sandbox)
    contributions_jobs.forget_late(clock.now())
    accounts_jobs.erase(clock.now())
    row = db.session.scalar(select(Contribution).where(Contribution.reference == reference))
    assert (row.email, row.person_id) == ("", person.id)
    assert ask(sandbox, f"customers/{row.customer_id}")["deleted"]
    assert db.session.query(Payment).count() == 1
    assert db.session.query(Person).count() == 1
    assert MARK not in "".join(words_of().values())
    assert not db.session.query(OutboxMail).filter(OutboxMail.state == "waiting").count()


def test_word_of_them_that_comes_while_no_worker_runs_for_days_is_emptied_when_one_runs_again(
    app, client, sandbox, server
):
    support = _patron(client, sandbox)
    accounts.begin_erasure(support.person_id, "member", None, clock.now())
    forget_everything(server)
    deliver_news(client, sandbox)
    accounts_jobs.erase(clock.now())
    assert columns_with() == set()
    deliver_news(client, sandbox, "again")
    assert columns_with() != set()
    with time_machine.travel(clock.real_now() + timedelta(days=5), tick=True):
        accounts_jobs.erase(clock.now())
    assert columns_with() == set()


def test_the_address_of_somebody_who_turned_out_to_be_them_is_nowhere_either(app, server):
    first, person = make_person(FIRST), make_person("other@example.org")
    until = clock.now() + timedelta(days=30)
    patrons.grant_comp(first.id, until, "one", reason="A guest.", actor="staff:per_1", at=clock.now())
    mail_jobs.sweep(clock.now())
    accounts.merge(first.id, person.id, "One reader.", "staff:per_1", clock.now())
    assert [mail.to_address for mail in db.session.query(OutboxMail).filter_by(kind="patrons/comp")] == [None]
    accounts.begin_erasure(person.id, "member", None, clock.now())
    forget_everything(server)
    assert columns_with() == set()


def test_support_that_begins_while_the_last_mail_waits_to_leave_is_ended_too(app, client, sandbox, server):
    person = make_person(FIRST)
    accounts.begin_erasure(person.id, "member", None, clock.now())
    accounts_jobs.erase(clock.now())  # whatever was there is ended by now; the address stands until the mail has left
    began = _patron(app.test_client(), sandbox)
    reference, subscription_id, customer_id = began.reference, began.subscription_id, began.customer_id
    mail_jobs.sweep(clock.now())
    forget_everything(server)
    contributions_jobs.forget_late(clock.now())
    deliver_news(client, sandbox)
    accounts_jobs.erase(clock.now())
    assert ask(sandbox, f"subscriptions/{subscription_id}")["status"] == "canceled"
    assert ask(sandbox, f"customers/{customer_id}")["deleted"]
    row = db.session.scalar(select(Contribution).where(Contribution.reference == reference))
    assert (row.person_id, row.email, row.state) == (person.id, "", State.ENDED.value)
    assert MARK not in "".join(words_of().values())


def test_a_ballot_goes_on_counting_and_the_poll_still_proves(app):
    voter, other = make_patron("voter@example.org"), make_patron("other@example.org")
    poll = make_poll()
    cast_ballot(poll, voter, [0])
    cast_ballot(poll, other, [1])
    accounts.begin_erasure(voter.id, "member", None, NOW)
    accounts_jobs.erase(NOW + timedelta(days=2))
    assert db.session.get(Person, voter.id, populate_existing=True).is_gone
    closed = close_poll(poll)
    assert (closed.state, closed.trouble) == ("closed", None)


def test_an_owner_forgets_somebody_with_a_reason_which_is_forgotten_too(app, client):
    person = make_person("reader@example.org")
    make_staff("boss@example.org", "owner")
    sign_in(client, "boss@example.org", next="staff")
    path = f"/staff/people/{person.public_id}/erase"
    assert client.get(path).status_code == 200
    assert post(client, path, reason="").status_code == 422
    assert post(client, path, reason="Asked by letter.").status_code == 303
    assert "begun" in client.get(path).get_data(as_text=True)
    accounts_jobs.erase(clock.now() + timedelta(days=2))
    row = db.session.get(Erasure, person.id, populate_existing=True)
    assert row.actor.startswith("staff:per_")
    assert row.reason is None
    entry = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "person.erased"))
    assert (entry.about, entry.reason, entry.reason_salt) == (person.public_id, None, None)
    assert find_fault(is_forgotten) is None
    assert client.get(path).status_code == 200


def test_a_started_page_of_somebody_who_left_cannot_be_paid(app, client, sandbox, server):
    page = give(client, email=FIRST, rhythm="once")
    person = make_person(FIRST)
    accounts.begin_erasure(person.id, "member", None, clock.now())
    forget_everything(server)
    row = db.session.scalar(select(Contribution))
    assert (row.state, row.email) == (State.ABANDONED.value, "")
    assert ask(sandbox, f"checkout/sessions/{page.rpartition('/')[2]}")["status"] == "expired"


def test_the_address_is_free_for_a_new_beginning(app, client, sandbox, server):
    person = make_person()
    accounts.begin_erasure(person.id, "member", None, clock.now())
    forget_everything(server)
    fresh = make_person()
    assert fresh.id != person.id
    sign_in(client)
    assert client.get("/account").status_code == 200
    assert fill_in(client)["email"] == "reader@example.org"
    assert any_token(client)


def test_what_another_company_does_not_answer_is_asked_again(app, monkeypatch):
    person = make_person()

    def leaver(person_id, key):
        raise ProviderFailed("provider_unreachable", "down", retryable=True)

    monkeypatch.setitem(app.extensions, "membership.leavers", (leaver,))
    accounts.begin_erasure(person.id, "member", None, clock.now())
    accounts_jobs.erase(clock.now() + timedelta(days=5))
    row = db.session.get(Erasure, person.id, populate_existing=True)
    assert (row.left_at, row.emptied_at) == (None, None)


def test_the_provider_gets_the_new_address_and_the_old_one_after_an_undo(app, client, sandbox):
    support = _patron(client, sandbox)
    sign_in(client, FIRST)
    post(client, "/account/email", email=SECOND)
    post(client, "/account/email/code", code=code_in_mail())
    accounts_jobs.follow_addresses(clock.now())
    assert ask(sandbox, f"customers/{support.customer_id}")["email"] == SECOND
    change = db.session.scalar(select(AddressChange))
    accounts.undo_change(accounts.undo_token(change))
    accounts_jobs.follow_addresses(clock.now())
    assert ask(sandbox, f"customers/{support.customer_id}")["email"] == FIRST
