"""Use cases of corrections, on both databases: grouping, answers, races, mails, leaving."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from membership.accounts import services as accounts
from membership.audit.models import AuditEntry
from membership.corrections import emails, jobs, queries, services
from membership.corrections.models import CorrectionEvent, CorrectionPassage, CorrectionReport
from membership.corrections.rules import State
from membership.corrections.services import owning
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.mail.models import OutboxMail
from tests.factories.corrections import ARTICLE, QUOTE, SITE, make_passage, make_passage_at, make_report
from tests.factories.people import make_person

FIX = ("1.2 million", "2.1 million", "", "")
OTHER = {"quote": "in Aprli", "prefix": "The next tender is to be opened ", "suffix": " by the same office as before."}


def n_passages() -> int:
    return db.session.scalar(select(func.count()).select_from(CorrectionPassage))


def mails() -> list[OutboxMail]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxMail).order_by(OutboxMail.id)))


def leave(row: OutboxMail):
    """What the worker does with a mail: its words, or None where it is not wanted."""
    return emails.answered(row.args, clock.now())


def actions() -> list[str]:
    mine = AuditEntry.action.startswith("correction.")
    return list(db.session.scalars(select(AuditEntry.action).where(mine).order_by(AuditEntry.number)))


# Reporting ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("app")
def test_reports_of_one_passage_stand_together_and_others_by_themselves():
    first = make_passage()
    again = make_passage(
        "pays 1,2 million a year for", email="two@example.org", article=ARTICLE + "/?utm_source=letter"
    )
    assert again.id == first.id
    assert make_passage(**OTHER).id != first.id
    assert make_passage(article=f"{SITE}/2026/11/other").id != first.id
    assert {row.id: row.n_reports for row in db.session.scalars(select(CorrectionPassage))}[first.id] == 2


@pytest.mark.usefixtures("app")
def test_what_marks_nothing_stands_by_itself():
    assert make_passage("", note="The date is wrong.").id != make_passage("", note="The name is wrong.").id


@pytest.mark.usefixtures("app")
def test_the_same_report_twice_is_one_and_a_day_later_it_is_another():
    assert make_report().id == make_report().id
    with transaction("test.yesterday"):
        db.session.scalar(select(CorrectionReport)).received_at -= timedelta(days=1, minutes=1)
    make_report()
    assert db.session.scalar(select(CorrectionPassage)).n_reports == 2


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("state", [state for state in State if state is not State.NEW])
def test_what_was_decided_is_not_joined_by_later_reports(state):
    decided = make_passage_at(state)
    assert make_passage(email="later@example.org").id != decided.id


@pytest.mark.usefixtures("app")
def test_an_address_that_cannot_be_mailed_to_is_refused():
    with pytest.raises(InvalidInput) as error:
        make_report(email="nobody\r\nBcc: all@example.org")
    assert error.value.code == "email_invalid"
    assert n_passages() == 0


def in_threads(app, *acts) -> list:
    """Do these at once, each in an app context of its own; what they answered or raised."""
    start, said = threading.Barrier(len(acts)), []

    def run(act):
        with app.app_context():
            start.wait(20)
            try:
                said.append(act())
            except Conflict as error:
                said.append(error.code)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    return said


def test_reports_that_come_at_once_find_each_other(app):
    acts = [lambda n=n: make_report(email=f"reader{n}@example.org").id for n in range(6)]
    assert len(set(in_threads(app, *acts))) == 6
    passage = db.session.scalar(select(CorrectionPassage))
    assert (n_passages(), passage.n_reports) == (1, 6)


# Answers -----------------------------------------------------------------------------------------------


def test_a_correction_is_public_and_everybody_who_reported_it_is_thanked_once(app, editor):
    passage = make_passage()
    make_report(email="two@example.org", locale="uk")
    make_report(email=None, note="Another note")
    services.fix(passage.id, "1.2 million", "2.1 million", "Ten years of dredging", "Well read.", editor.id)
    services.fix(passage.id, "1.2 million", "2.1 million", "Ten years of dredging", "Well read.", editor.id)
    assert [(row.to_address, row.locale) for row in mails()] == [("olena@example.org", "en"), ("two@example.org", "uk")]
    words = leave(mails()[0])
    assert (words["is_fixed"], words["before"], words["after"], words["reply"]) == (
        True, "1.2 million", "2.1 million", "Well read.",
    )  # fmt: skip
    assert words["article_url"] == ARTICLE
    assert [row.public_id for row in queries.list_in(State.FIXED, 10).rows] == [passage.public_id]
    assert actions() == ["correction.fixed"]
    assert None not in {report.answered_at for report in queries.reports_of([passage.id])[passage.id]}


def test_a_declined_one_gets_the_reply(app, editor):
    passage = make_passage_at("declined", editor)
    words = leave(mails()[0])
    assert (words["is_fixed"], words["reply"], passage.state) == (False, "The budget was changed in May.", "declined")


def test_spam_gets_no_mail_not_even_when_it_was_marked_later(app, editor):
    passage = make_passage_at("spam", editor)
    assert mails() == []
    services.reopen(passage.id, editor.id)
    services.decline(passage.id, "No.", editor.id)
    services.reopen(passage.id, editor.id)
    services.mark_spam(passage.id, editor.id)
    assert [leave(row) for row in mails()] == [None]


def test_a_mail_that_has_not_left_when_it_is_decided_otherwise_says_what_was_decided_in_the_end(app, editor):
    passage = make_passage_at("declined", editor)
    services.reopen(passage.id, editor.id)
    services.fix(passage.id, *FIX, editor.id)
    stale, fresh = mails()
    assert leave(stale) is None
    assert leave(fresh)["is_fixed"]
    assert leave(fresh)["is_fixed"]  # the mail server did not answer, and it is tried again


def test_who_was_told_is_never_told_again(app, editor):
    passage = make_passage_at("declined", editor)
    assert leave(mails()[0]) is not None
    services.reopen(passage.id, editor.id)
    services.fix(passage.id, *FIX, editor.id)
    assert len(mails()) == 1
    make_report(email="later@example.org")


def test_a_second_mail_that_was_written_meanwhile_does_not_leave_either(app, editor):
    passage = make_passage_at("declined", editor)
    services.reopen(passage.id, editor.id)
    services.fix(passage.id, *FIX, editor.id)
    first, second = mails()
    assert leave(second) is not None
    services.reopen(passage.id, editor.id)
    services.decline(passage.id, "After all not.", editor.id)
    assert [leave(row) for row in (first, *mails()[2:])] == [None]


def test_duplicates_get_the_answer_of_the_other_one_when_it_comes(app, editor):
    first, second = make_passage(), make_passage(**OTHER, email="two@example.org")
    services.mark_duplicate(second.id, first.id, editor.id)
    services.mark_duplicate(second.id, first.id, editor.id)
    assert mails() == []
    services.fix(first.id, *FIX, editor.id)
    assert {row.to_address for row in mails()} == {"olena@example.org", "two@example.org"}
    assert all(leave(row)["after"] == "2.1 million" for row in mails())


def test_a_duplicate_of_what_was_answered_is_answered_at_once(app, editor):
    first, second = make_passage_at("fixed", editor), make_passage(email="late@example.org")
    services.mark_duplicate(second.id, first.id, editor.id)
    assert [row.to_address for row in mails()] == ["olena@example.org", "late@example.org"]
    assert leave(mails()[1])["is_fixed"]


def test_duplicates_of_a_duplicate_move_along_so_that_no_chain_comes_about(app, editor):
    one, two, three = make_passage(), make_passage(**OTHER), make_passage("", note="The date")
    services.mark_duplicate(one.id, two.id, editor.id)
    with pytest.raises(Conflict):
        services.mark_duplicate(three.id, one.id, editor.id)
    services.mark_duplicate(two.id, three.id, editor.id)
    db.session.rollback()
    assert {queries.get(each.id).duplicate_of_id for each in (one, two)} == {three.id}
    with pytest.raises(Conflict) as error:
        services.mark_spam(three.id, editor.id)
    assert error.value.code == "has_duplicates"


def test_only_another_passage_of_the_same_article_can_be_the_other_one(app, editor):
    one = make_passage()
    for other in (one, make_passage(article=f"{SITE}/elsewhere")):
        with pytest.raises(InvalidInput):
            services.mark_duplicate(one.id, other.id, editor.id)


def test_two_that_are_made_duplicates_of_each_other_at_once_are_not_lost(app, editor):
    one, two = make_passage().id, make_passage(**OTHER).id
    actor = editor.id
    said = in_threads(
        app, lambda: services.mark_duplicate(one, two, actor).id, lambda: services.mark_duplicate(two, one, actor).id
    )
    assert "correction_moved" in said
    assert sorted(row.state for row in db.session.scalars(select(CorrectionPassage))) == ["duplicate", "new"]


def test_of_two_editors_who_decide_at_once_one_is_told_so(app, editor):
    passage, actor = make_passage().id, editor.id
    said = in_threads(
        app,
        lambda: services.fix(passage, *FIX, actor).id,
        lambda: services.decline(passage, "It is right.", actor).id,
        lambda: services.mark_spam(passage, actor).id,
    )
    assert said.count("correction_moved") == 2
    assert len(actions()) == 1
    assert len(mails()) <= 1


def test_a_report_that_comes_while_its_passage_is_decided_is_answered_or_waits(app, editor):
    passage, actor = make_passage().id, editor.id
    in_threads(app, lambda: services.fix(passage, *FIX, actor).id, lambda: make_report(email="two@example.org").id)
    late = db.session.scalar(select(CorrectionReport).where(CorrectionReport.email == "two@example.org"))
    under = queries.get(late.passage_id)
    assert (under.state, late.answered_at is not None) in {("fixed", True), ("new", False)}
    assert len(mails()) == (2 if late.answered_at else 1)


@pytest.mark.parametrize("state", [state for state in State if state is not State.NEW])
def test_whatever_was_decided_is_taken_up_again_and_decided_otherwise(app, editor, state):
    passage = make_passage_at(state, editor)
    with pytest.raises(Conflict):
        services.fix(passage.id, "x", "y", "", "", editor.id)
    services.reopen(passage.id, editor.id)
    assert services.reopen(passage.id, editor.id).state == State.NEW
    services.fix(passage.id, "x", "y", "", "", editor.id)
    assert queries.get(passage.id).state == State.FIXED


@pytest.mark.usefixtures("app")
def test_what_is_not_there_is_not_found():
    for act in (queries.get_by_public_id, queries.get_report):
        with pytest.raises(NotFound):
            act("fix_unknown")
    with pytest.raises(NotFound):
        services.reopen(12345, None)


def test_a_passage_is_given_to_a_colleague_and_to_nobody_else(app, editor):
    passage = make_passage()
    services.assign(passage.id, editor.id, editor.id)
    services.assign(passage.id, editor.id, editor.id)
    assert queries.list_in(State.NEW, 5, owner_id=editor.id).rows
    with pytest.raises(InvalidInput):
        services.assign(passage.id, make_person().id, editor.id)
    services.assign(passage.id, None, editor.id)
    assert actions() == ["correction.owner", "correction.owner"]


def test_a_report_that_was_put_under_another_by_mistake_gets_a_place_of_its_own(app, editor):
    first = make_report()
    second = make_report(email="two@example.org")
    made = services.take_apart(second.public_id, editor.id)
    assert (made.n_reports, queries.get(first.passage_id).n_reports) == (1, 1)
    with pytest.raises(Conflict):
        services.take_apart(second.public_id, editor.id)
    services.mark_spam(made.id, editor.id)
    services.fix(first.passage_id, *FIX, editor.id)
    assert [row.to_address for row in mails()] == ["olena@example.org"]


def test_steps_are_written_once(app, editor):
    make_passage_at("fixed", editor)
    for statement in ("UPDATE correction_events SET kind = 'spam'", "DELETE FROM correction_events"):
        with pytest.raises(DatabaseError), db.engine.begin() as connection:
            connection.exec_driver_sql(statement)


# Lists -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("app")
def test_a_list_goes_on_where_it_ended():
    made = [make_passage("", note=f"Mistake {n}").public_id for n in range(5)]
    first = queries.list_in(State.NEW, 2)
    second = queries.list_in(State.NEW, 2, first.next_mark)
    third = queries.list_in(State.NEW, 2, second.next_mark)
    assert [row.public_id for page in (first, second, third) for row in page.rows] == made
    assert third.next_mark is None
    assert len(queries.list_in(State.NEW, 10, "no mark").rows) == 5


# Who leaves, who turns out to be one --------------------------------------------------------------------


def test_addresses_are_forgotten_thirty_days_after_the_answer(app, editor):
    make_passage_at("fixed", editor)
    make_passage_at("spam", editor, **OTHER, email="spam@example.org")
    make_report(email="waits@example.org", quote="", note="Still open")
    jobs.forget(clock.now() + timedelta(days=29))
    assert db.session.scalar(select(func.count()).where(CorrectionReport.email.is_not(None))) == 3
    assert owning.forget(clock.now() + timedelta(days=31)) == 2
    assert db.session.scalars(select(CorrectionReport.email).where(CorrectionReport.email.is_not(None))).all() == [
        "waits@example.org"
    ]


def test_the_reports_of_two_who_are_one_are_theirs(app):
    winner, loser = make_person(), make_person("second@example.org")
    make_report(person=loser, email="second@example.org")
    accounts.merge(loser.id, winner.id, "One reader.", "system", clock.now())
    db.session.rollback()
    report = db.session.scalar(select(CorrectionReport))
    assert (report.person_id, report.email) == (winner.id, "olena@example.org")
    assert queries.export_of(winner.id)[0]["article"] == ARTICLE
    assert queries.export_of(loser.id) == []


def erased(person) -> None:
    with transaction("test.erase"):
        owning.erase(person.id, clock.now())
    db.session.rollback()


def test_what_others_reported_too_stays_theirs_when_somebody_leaves(app, editor):
    person = make_person()
    mine, theirs = make_report(person=person), make_report(email="two@example.org", note="I saw it too")
    erased(person)
    passage = queries.get(mine.passage_id)
    reports = {row.id: row for row in queries.reports_of([passage.id])[passage.id]}
    assert (reports[mine.id].quote, reports[mine.id].note, reports[mine.id].email) == ("", "", None)
    assert (reports[theirs.id].quote, passage.article, passage.state) == (QUOTE, ARTICLE, "new")
    assert queries.anchor_of(reports.values()).quote == QUOTE


def test_what_nobody_else_reported_leaves_the_queue_with_its_reader(app, editor):
    passage = make_passage()  # under the address of a person, by nobody who was signed in
    erased(make_person("olena@example.org"))
    row = queries.get(passage.id)
    assert (row.article, row.article_key, row.state) == ("", "", "declined")
    assert mails() == []
    assert services.reopen(row.id, editor.id).state == "new"


def test_a_public_correction_stays_without_its_reader(app, editor):
    passage = make_passage_at("fixed", editor, person=make_person())
    erased(make_person())
    row = queries.get(passage.id)
    assert (row.article, row.after_words, row.reply, row.state) == (ARTICLE, "2.1 million", None, "fixed")
    assert [(mail.to_address, mail.state) for mail in mails()] == [(None, "dropped")]
    assert db.session.scalar(select(func.count()).select_from(CorrectionEvent)) == 1
