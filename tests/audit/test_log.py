"""The log is written with the act, never forks, and gives away the first row that was touched."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from membership.accounts.models import Person
from membership.accounts.queries import is_forgotten
from membership.audit import queries
from membership.audit.models import AuditEntry
from membership.audit.queries import Head, Wish
from membership.audit.rules import COMMAND, NOTHING
from membership.audit.services import forget_reasons, record
from membership.cli.audit import audit
from membership.db import db, transaction
from membership.kernel import clock
from tests.factories.people import make_person
from tests.polls.tampering import tamper

ME = "staff:per_me"


def write(n: int = 5, **changes) -> None:
    for number in range(1, n + 1):
        values = {"actor": ME, "reason": f"Reason {number}", "before": {"state": number}, "after": {"state": "x"}}
        record("thing.done", ("thing", number), **(values | changes))


def rows() -> list[AuditEntry]:
    db.session.rollback()
    query = select(AuditEntry).order_by(AuditEntry.number)
    return list(db.session.scalars(query, execution_options={"populate_existing": True}))


def fault(noted: Head | None = None) -> str:
    found = queries.find_fault(is_forgotten, noted)
    return found.sentence if found else ""


def test_rows_are_numbered_and_each_follows_the_one_before(app):
    write(3)
    first, second, third = rows()
    assert (first.number, first.previous) == (1, NOTHING)
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert (second.actor, second.action, second.subject, second.reason) == (ME, "thing.done", "thing:2", "Reason 2")
    assert (second.before, second.after) == ({"state": 2}, {"state": "x"})
    assert str(queries.head()) == f"3:{third.hash}"
    assert fault() == ""


def test_an_empty_log_holds_and_has_a_head_of_zeros(app):
    assert (str(queries.head()), fault()) == (f"0:{NOTHING}", "")
    assert queries.is_last_row_whole()


def test_what_did_not_happen_stands_nowhere(app):
    write(1)
    with pytest.raises(RuntimeError), transaction("test"):
        write(2)
        raise RuntimeError
    assert len(rows()) == 1


def test_the_row_and_the_act_are_one_transaction(app):
    person = make_person()
    with transaction("test"):
        record("thing.done", ("person", person.public_id), actor=ME)
        db.session.get_one(Person, person.id).public_name = "New"
        # It comes last, so that nobody waits for the end of the chain while they hold it.
        assert db.session.scalar(select(AuditEntry.number)) is None
    assert [row.about for row in rows()] == [person.public_id]


def test_members_and_the_clock_leave_no_rows(app):
    for actor in ("member", "system"):
        record("thing.done", ("thing", 1), actor=actor)
    record("thing.done", ("thing", 1), actor=COMMAND)
    assert [row.actor for row in rows()] == [COMMAND]


def test_many_writers_at_once_make_one_chain_without_a_fork(app):
    person_id = make_person().id

    def act(number):
        with app.app_context():
            # Some hold the same row meanwhile, in an order that would make a ring if the chain came first.
            with transaction("test"):
                if number % 2:
                    record("thing.done", ("thing", number), actor=ME)
                db.session.execute(update(Person).where(Person.id == person_id).values(public_name=str(number)))
                if not number % 2:
                    record("thing.done", ("thing", number), actor=ME, reason="Why not?")
            db.session.remove()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(act, range(60)))
    found = rows()
    assert [row.number for row in found] == list(range(1, 61))
    assert {row.subject for row in found} == {f"thing:{number}" for number in range(60)}
    assert fault() == ""


def test_the_database_itself_refuses_a_second_row_after_the_same_one(app):
    write(2)
    twin = rows()[1]
    with pytest.raises(IntegrityError), transaction("test"):
        db.session.add(
            AuditEntry(
                number=3, at=clock.now(), actor=ME, action="x", subject="y:1", previous=twin.previous, hash="f" * 64
            )
        )


def test_nobody_changes_or_deletes_a_row_who_does_not_own_the_database(app):
    write(3)
    for statement in (
        "UPDATE audit_entries SET actor = 'staff:per_other' WHERE number = 2",
        "UPDATE audit_entries SET hash = previous WHERE number = 2",
        "DELETE FROM audit_entries WHERE number = 3",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction("test"):
            db.session.execute(text(statement))
    assert len(rows()) == 3


# As the owner of the database ---------------------------------------------------------------------------


def test_whatever_was_changed_in_a_row_the_first_such_row_is_named(app):
    changes = (
        "actor = 'staff:per_other'", "action = 'thing.undone'", "subject = 'thing:99'", "about = 'per_x'",
        "after = '{\"state\": \"y\"}'", "before = NULL", "at = '2020-01-01 00:00:00.000000'", "reason_digest = NULL",
        "hash = 'ab'",
    )  # fmt: skip
    write(len(changes))
    for number, change in reversed(list(enumerate(changes, 1))):
        tamper(f"UPDATE audit_entries SET {change} WHERE number = {number}")  # noqa: S608 - our own words
        assert fault() == f"Row {number} was changed.", change


def test_a_changed_reason_is_named_and_so_is_one_that_was_taken_out(app):
    write()
    tamper("UPDATE audit_entries SET reason = 'Another one' WHERE number = 2")
    assert fault() == "The reason of row 2 was changed."
    tamper("UPDATE audit_entries SET reason = NULL, reason_salt = NULL WHERE number = 2")
    assert fault() == "The reason of row 2 was taken out."


def test_a_missing_row_is_named(app):
    write()
    tamper("DELETE FROM audit_entries WHERE number = 4")
    assert fault() == "Row 4 is missing."
    tamper("DELETE FROM audit_entries WHERE number = 1")
    assert fault() == "Row 1 is missing."


def test_a_missing_row_whose_gap_was_closed_is_named(app):
    write()
    tamper("DELETE FROM audit_entries WHERE number = 3", "UPDATE audit_entries SET number = 3 WHERE number = 4")
    assert fault() == "Row 3 does not follow row 2: a row was taken out or moved."


def test_two_rows_that_changed_places_are_named(app):
    write()
    swap = ((2, 99), (3, 2), (99, 3))
    for fro, to in swap:
        tamper("UPDATE audit_entries SET number = :to WHERE number = :fro", fro=fro, to=to)
    assert fault() == "Row 2 does not follow row 1: a row was taken out or moved."


def test_a_chain_that_was_made_anew_from_a_row_on_is_given_away_by_a_noted_head(app):
    write()
    noted = queries.head()
    tamper("DELETE FROM audit_entries WHERE number > 3")
    assert fault() == ""
    assert fault(noted) == "Row 4 is missing: the log once had 5 rows."
    write(4, reason="Made up")
    assert fault() == ""
    assert fault(noted) == "Row 5 is another one than when its head was noted."
    assert fault(Head(3, rows()[2].hash)) == ""


def test_the_newest_row_is_looked_at_whenever_somebody_asks_whether_all_is_well(app, client):
    write()
    tamper("UPDATE audit_entries SET action = 'thing.undone' WHERE number = 5")
    assert not queries.is_last_row_whole()


# Erasing ------------------------------------------------------------------------------------------------


def test_reasons_about_an_erased_person_go_and_the_chain_holds(app):
    person = make_person()
    record("person.merged", ("person", person.public_id), actor=ME, reason="She moved.")
    record("refund.asked", ("payment", "2026-000001"), actor=ME, about=person.public_id, reason="Twice.")
    write(1)
    forget_reasons([person.public_id])
    assert [row.reason for row in rows()] == [None, None, "Reason 1"]
    assert fault() == "The reason of row 1 was taken out."
    with transaction("test"):
        db.session.get_one(Person, person.id).email = "erased-1@erased.invalid"
    assert fault() == ""


# Reading and proving ------------------------------------------------------------------------------------


def test_it_is_read_newest_first_page_by_page_by_who_what_and_about_whom(app):
    write(4)
    record("other.done", ("person", "per_x"), actor=COMMAND)
    record("thing.done", ("thing", 7), actor=COMMAND, about="per_x")

    def numbers(wish=None, before=None, limit=10):
        return [row.number for row in queries.list_entries(wish or Wish(), before, limit)]

    assert numbers(limit=3) == [6, 5, 4]
    assert numbers(before=4) == [3, 2, 1]
    assert numbers(Wish(actor=COMMAND)) == [6, 5]
    assert numbers(Wish(action="other.done")) == [5]
    assert numbers(Wish(subject="thing:2")) == [2]
    assert numbers(Wish(subject="per_x")) == [6, 5]
    assert numbers(Wish(actor=ME, action="other.done")) == []
    assert queries.list_actions() == ["other.done", "thing.done"]


def test_the_command_names_the_row_and_ends_with_one(app):
    write()
    runner = app.test_cli_runner()
    head = runner.invoke(audit, ["head"])
    assert (head.exit_code, head.output) == (0, f"{queries.head()}\n")
    noted = head.output.strip()
    assert runner.invoke(audit, ["verify", "--head", noted]).exit_code == 0
    assert runner.invoke(audit, ["verify", "--head", "5:short"]).exit_code == 2
    tamper("UPDATE audit_entries SET actor = 'staff:per_other' WHERE number = 2")
    answer = runner.invoke(audit, ["verify"])
    assert (answer.exit_code, answer.output) == (1, "Row 2 was changed.\n")
