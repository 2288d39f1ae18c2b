"""Many who are forgotten at once: nobody waits for what another company, or a failing row, does to somebody else."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from membership.accounts import jobs as accounts_jobs
from membership.accounts import services as accounts
from membership.accounts.models import Erasure
from membership.contributions import jobs as contributions_jobs
from membership.contributions.models import Contribution
from membership.db import db, is_sqlite
from membership.kernel import clock
from membership.kernel.errors import Conflict, ProviderFailed
from tests.factories.checkout import GOOD_CARD, pay
from tests.factories.people import make_person
from tests.factories.support import ask, order_fault
from tests.leaving.story import FIRST, SECOND, deliver_news, give

LATE = timedelta(days=2)  # later than a farewell may take


def leave_all(n: int) -> list[int]:
    """People who asked to be forgotten, one after the other."""
    at = clock.now()
    ids = [make_person(f"reader{number}@example.org").id for number in range(n)]
    for number, person_id in enumerate(ids):
        accounts.begin_erasure(person_id, "member", None, at + timedelta(seconds=number))
    return ids


def use_leaver(app, monkeypatch, leaver) -> None:
    monkeypatch.setitem(app.extensions, "membership.leavers", (leaver,))


def done() -> set[int]:
    db.session.rollback()
    return set(db.session.scalars(select(Erasure.person_id).where(Erasure.done_at.is_not(None))))


@pytest.mark.parametrize("error", [
    ProviderFailed("provider_unreachable", "It does not answer.", retryable=True),
    Conflict("not_possible_now", "Not in this state."),
])  # fmt: skip
def test_many_whom_the_provider_does_not_forget_hold_up_nobody_who_came_later(app, monkeypatch, error):
    *stuck, last = leave_all(22)

    def leaver(person_id, key):
        if person_id in stuck:
            raise error

    use_leaver(app, monkeypatch, leaver)
    accounts_jobs.erase(clock.now() + LATE)
    assert done() == {last}


def test_who_needs_no_answer_any_more_is_emptied_before_anybody_is_waited_for(app, monkeypatch):
    slow, ready = leave_all(2)
    seen = []

    def leaver(person_id, key):
        if person_id == slow:
            seen.append(db.session.get(Erasure, ready, populate_existing=True).emptied_at)
            raise ProviderFailed("provider_unreachable", "It does not answer.", retryable=True)

    use_leaver(app, monkeypatch, leaver)
    accounts_jobs.erase(clock.now())  # the farewell of `ready` is still on its way
    accounts_jobs.erase(clock.now() + LATE)
    assert seen[0] is None
    assert seen[1] is not None
    assert done() == {ready}


def test_answers_that_take_long_are_waited_for_a_minute_at_a_time_and_in_turn(app, monkeypatch):
    people = leave_all(3)
    asked = []
    with time_machine.travel(clock.real_now() + LATE, tick=False) as traveller:

        def leaver(person_id, key):
            asked.append(person_id)
            traveller.shift(90)
            if person_id != people[2]:
                raise ProviderFailed("provider_unreachable", "It does not answer.", retryable=True)

        use_leaver(app, monkeypatch, leaver)
        for _ in range(4):
            accounts_jobs.erase(clock.now())
    assert asked == [*people, people[0]]
    assert done() == {people[2]}


def test_a_row_that_cannot_be_emptied_now_holds_up_no_other(app, monkeypatch):
    first, second = leave_all(2)

    def eraser(person_id, at):
        if person_id == first:
            raise OperationalError("UPDATE", {}, Exception("deadlock detected"))

    monkeypatch.setitem(app.extensions, "membership.erasers", (eraser,))
    use_leaver(app, monkeypatch, lambda person_id, key: None)
    accounts_jobs.erase(clock.now() + LATE)
    assert done() == {second}
    monkeypatch.undo()
    accounts_jobs.erase(clock.now() + LATE)
    assert done() == {first, second}


@contextmanager
def statements_of_sqlite():
    """What SQLite itself was told, also past SQLAlchemy; nothing on PostgreSQL."""
    seen: list[str] = []

    def trace(connection, _record, _proxy):
        connection.set_trace_callback(seen.append)

    if is_sqlite():
        event.listen(db.engine, "checkout", trace)
    yield seen
    if is_sqlite():
        event.remove(db.engine, "checkout", trace)


def test_the_file_is_written_anew_once_for_all_of_them_and_not_at_all_for_nobody(app, monkeypatch):
    people = leave_all(5)
    use_leaver(app, monkeypatch, lambda person_id, key: None)
    with statements_of_sqlite() as seen:
        accounts_jobs.erase(clock.now() + LATE)
        assert done() == set(people)
        assert sum("VACUUM" in statement for statement in seen) == (1 if is_sqlite() else 0)
        seen.clear()
        accounts_jobs.erase(clock.now() + LATE)
        assert not [statement for statement in seen if "VACUUM" in statement]


def test_money_that_came_late_from_one_whom_the_provider_keeps_holds_up_no_other(app, client, sandbox, monkeypatch):
    use_leaver(app, monkeypatch, lambda person_id, key: None)  # their pages stay open, and are paid below
    pages = [give(app.test_client(), email=email, rhythm="once") for email in (FIRST, SECOND)]
    for email in (FIRST, SECOND):
        accounts.begin_erasure(make_person(email).id, "member", None, clock.now())
    accounts_jobs.erase(clock.now() + LATE)
    for page in pages:
        pay(page, GOOD_CARD)
    deliver_news(client, sandbox)
    first, second = db.session.scalars(select(Contribution.customer_id).order_by(Contribution.id)).all()
    order_fault(sandbox, f"DELETE /v1/customers/{first}", "503", times=5)
    contributions_jobs.forget_late(clock.now())
    assert ask(sandbox, f"customers/{second}")["deleted"]
    assert "deleted" not in ask(sandbox, f"customers/{first}")
