"""Saving, history, going back; and that every room reads what counts."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError, OperationalError

from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.kernel.money import Money
from membership.newsroom import queries, services
from membership.newsroom.models import SettingsVersion
from membership.newsroom.queries.history import find_version, values_at, versions_of
from membership.newsroom.queries.snapshot import current, forget
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.subjects import Subject
from tests.conftest import make_settings
from tests.newsroom.conftest import ACTOR
from tests.newsroom.values import ALL, COLOURS, GOAL, PLN, WAYS


def goal_of(n) -> Goal:
    return replace(GOAL, n_patrons=n)


# Settings that are other than the environment's.
OTHERS = ALL | {Subject.GOAL: goal_of(600), Subject.LANGUAGES: Languages(("uk",), "uk")}


def rows():
    return db.session.query(SettingsVersion).order_by(SettingsVersion.id).all()


def test_before_anybody_saves_the_environment_counts_and_afterwards_what_was_saved(app, save):
    assert current().goal.n_patrons == 500
    assert save(Subject.GOAL, goal_of(600)) == 1
    assert queries.goal().n_patrons == 600
    app.extensions["membership.settings"] = app.extensions["membership.settings"].model_copy(
        update={"goal_patrons": 900, "newsroom_name": "Another"}
    )
    forget()
    assert queries.goal().n_patrons == 600
    assert queries.newsroom().name == "Another"  # that page was never saved


@pytest.mark.parametrize("subject", list(Subject))
def test_every_setting_is_kept_with_who_when_and_what_was_before(app, save, subject):
    before = current().values[subject]
    wanted = OTHERS[subject].keeping(before)
    assert save(subject, OTHERS[subject]) == 1
    assert current().values[subject] == wanted
    [row] = rows()
    assert (row.subject, row.number, row.actor, row.back_to) == (subject.value, 1, ACTOR, None)
    assert (row.values, row.before) == (wanted.to_json(), before.to_json())


def test_saving_what_counts_already_writes_nothing(save):
    assert save(Subject.GOAL, current().goal) == 0
    save(Subject.GOAL, goal_of(600))
    assert save(Subject.GOAL, goal_of(600), base=0) == 1  # the second half of a double click
    assert len(rows()) == 1


def test_what_cannot_be_is_refused_and_changes_nothing(save):
    with pytest.raises(InvalidInput) as refused:
        save(Subject.GOAL, goal_of(0))
    assert [fault.path for fault in refused.value.details["faults"]] == ["n_patrons"]
    assert rows() == []
    assert current().goal.n_patrons == 500


def test_the_second_of_two_people_is_told_and_nothing_is_overwritten(save):
    save(Subject.GOAL, goal_of(600), base=0)
    with pytest.raises(Conflict) as told:
        save(Subject.GOAL, goal_of(700), base=0)
    assert (told.value.code, told.value.details["number"]) == ("settings_changed", 1)
    assert current().goal.n_patrons == 600
    save(Subject.NAMES, Names("The Quay", None), base=0)  # another page is another matter
    assert len(rows()) == 2


def test_of_many_who_save_at_once_one_is_first_and_the_others_are_told(app):
    current()
    begin, outcomes = threading.Barrier(6), []

    def press(n):
        with app.app_context():
            begin.wait()
            try:
                outcomes.append(services.save(Subject.GOAL, goal_of(1000 + n), 0, ACTOR, clock.now()))
            except Conflict as error:
                outcomes.append(error.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["1", *["settings_changed"] * 5]
    db.session.rollback()
    [row] = rows()
    forget()
    assert row.values == current().goal.to_json()


def test_a_version_that_is_committed_late_is_seen_although_a_newer_one_was_seen_before(app):
    """Ids are given out before the commit. Savers take turns, or a reader that saw the higher id never looked again."""
    holds, go_on = threading.Event(), threading.Event()

    def slow(told):
        if told.subject == "names":
            holds.set()
            go_on.wait(10)

    app.extensions["membership.outlook"] = replace(queries.outlook(), listeners=(slow,))

    def save_in_thread(subject, values):
        def run():
            with app.app_context():
                services.save(subject, values, 0, ACTOR, clock.now())
                db.session.remove()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    first = save_in_thread(Subject.NAMES, Names("The Quay", None))
    assert holds.wait(10)
    second = save_in_thread(Subject.GOAL, goal_of(600))
    second.join(0.3)
    forget()
    current()  # what a page would read meanwhile
    go_on.set()
    first.join()
    second.join()
    db.session.rollback()
    forget()
    assert (current().names.name, current().goal.n_patrons) == ("The Quay", 600)


def test_history_cannot_be_changed(save):
    save(Subject.GOAL, goal_of(600))
    for statement in ("UPDATE settings_versions SET actor = 'x'", "DELETE FROM settings_versions"):
        with pytest.raises(DatabaseError, match="append-only"):
            db.session.execute(text(statement))
        db.session.rollback()


# Going back


def test_one_tap_goes_back_and_another_one_forth_again(save):
    for n in (600, 700):
        save(Subject.GOAL, goal_of(n))
    assert services.go_back(Subject.GOAL, 1, 2, ACTOR, clock.now()) == 3
    assert current().goal.n_patrons == 600
    assert services.go_back(Subject.GOAL, 2, 3, ACTOR, clock.now()) == 4
    assert current().goal.n_patrons == 700
    assert [(row.number, row.back_to) for row in versions_of(Subject.GOAL, 10)] == [
        (4, 2),
        (3, 1),
        (2, None),
        (1, None),
    ]


def test_going_back_to_the_beginning_lets_the_environment_count_again(app, save):
    save(Subject.GOAL, goal_of(600))
    services.go_back(Subject.GOAL, 0, 1, ACTOR, clock.now())
    assert (current().goal.n_patrons, Subject.GOAL in current().saved) == (500, False)
    app.extensions["membership.settings"] = app.extensions["membership.settings"].model_copy(
        update={"goal_patrons": 900}
    )
    forget()
    assert current().goal.n_patrons == 900
    assert services.go_back(Subject.GOAL, 0, 2, ACTOR, clock.now()) == 2  # it is there already
    save(Subject.GOAL, goal_of(950))
    services.go_back(Subject.GOAL, 2, 3, ACTOR, clock.now())  # the version that went back to the environment
    assert Subject.GOAL not in current().saved


def test_going_back_meets_somebody_elses_change_with_a_sentence(save):
    save(Subject.GOAL, goal_of(600))
    save(Subject.GOAL, goal_of(700))
    with pytest.raises(Conflict):
        services.go_back(Subject.GOAL, 0, 1, ACTOR, clock.now())
    with pytest.raises(NotFound):
        services.go_back(Subject.GOAL, 9, 2, ACTOR, clock.now())
    assert current().goal.n_patrons == 700


def test_a_currency_that_came_later_is_closed_by_going_back_and_never_lost(save):
    before = current().prices
    save(Subject.PRICES, replace(before, currencies=(*before.currencies, PLN)))
    assert "PLN" in queries.offered_currencies()
    services.go_back(Subject.PRICES, 0, 1, ACTOR, clock.now())
    assert queries.offered_currencies() == before.open_currencies
    assert queries.cup_in("PLN") == Money(1500, "PLN")
    assert queries.offer_in("PLN").cup == Money(1500, "PLN")
    assert Subject.PRICES in current().saved  # the environment alone does not know zlotys


def test_money_in_a_currency_without_a_price_is_thanked_and_cannot_be_asked_for(app):
    assert queries.cup_in("CZK") == Money(0, "CZK")
    with pytest.raises(Conflict) as told:
        queries.offer_in("CZK")
    assert told.value.code == "no_price"


# What others hear


def test_listeners_are_told_inside_the_transaction_and_can_stop_it(app, save):
    heard = []
    app.extensions["membership.outlook"] = replace(queries.outlook(), listeners=(heard.append,))
    save(Subject.GOAL, goal_of(600))
    [told] = heard
    assert (told.subject, told.number, told.actor, told.back_to) == ("goal", 1, ACTOR, None)
    assert (told.before["n_patrons"], told.after["n_patrons"]) == (500, 600)

    def refuse(_told):
        raise RuntimeError("no room in the log")

    app.extensions["membership.outlook"] = replace(queries.outlook(), listeners=(refuse,))
    with pytest.raises(RuntimeError):
        save(Subject.GOAL, goal_of(700))
    assert len(rows()) == 1


# Reading


def count_reads(app, work) -> list[str]:
    asked = []

    def note(_conn, _cursor, statement, *_rest):
        if "settings_versions" in statement:
            asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with app.app_context():
            work()
            db.session.remove()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return asked


def read_everything():
    queries.house()
    queries.newsroom()
    for currency in queries.offered_currencies():
        queries.offer_in(currency)
    queries.name_at(clock.now())
    queries.all_names()
    queries.all_accounts()


def test_a_request_reads_one_number_and_nothing_else_while_nothing_changes(app, save):
    assert len(count_reads(app, read_everything)) == 1
    save(Subject.GOAL, goal_of(600))
    assert len(count_reads(app, read_everything)) <= 2  # the first one after a change reads the rows as well
    assert len(count_reads(app, read_everything)) == 1
    assert count_reads(app, lambda: None) == []


def test_a_change_is_seen_by_the_next_request_and_by_none_that_has_begun(app, save):
    with app.app_context():
        assert queries.goal().n_patrons == 500
        thread = threading.Thread(target=_save_elsewhere, args=(app, goal_of(600)))
        thread.start()
        thread.join()
        assert queries.goal().n_patrons == 500
        db.session.remove()
    with app.app_context():
        assert queries.goal().n_patrons == 600
        db.session.remove()


def _save_elsewhere(app, values):
    with app.app_context():
        services.save(Subject.GOAL, values, 0, ACTOR, clock.now())
        db.session.remove()


def test_where_the_database_is_gone_pages_still_have_their_name(app, save, monkeypatch):
    save(Subject.NAMES, Names("The Quay", None))
    current()

    def gone(*_args):
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr("membership.newsroom.queries.snapshot.read_alone", gone)
    with app.app_context():
        assert queries.house().name == "The Quay"
        with pytest.raises(OperationalError):  # but nothing is sold by prices of yesterday
            queries.offered_currencies()


# What was before


def test_receipts_keep_the_name_that_they_were_made_with(save):
    now = clock.now()
    save(Subject.NAMES, Names("The Quay", None), at=now - timedelta(days=10))
    save(Subject.NAMES, Names("The Pier", None), at=now - timedelta(days=5))
    at = [queries.name_at(now - timedelta(days=days)) for days in (20, 10, 7, 5, 0)]
    assert at == ["The Harbour Post", "The Quay", "The Quay", "The Pier", "The Pier"]
    assert queries.all_names() == ["The Pier", "The Quay", "The Harbour Post"]


def test_accounts_of_before_are_known_again(save):
    save(Subject.WAYS, WAYS)
    save(Subject.WAYS, replace(WAYS, iban="GB29NWBK60161331926819"))
    assert queries.all_accounts() == ["GB29NWBK60161331926819", "DE89370400440532013000"]


def test_every_version_can_be_looked_at(save):
    save(Subject.GOAL, goal_of(600))
    assert values_at(Subject.GOAL, 0) == GOAL
    assert values_at(Subject.GOAL, 1) == goal_of(600)
    assert values_at(Subject.GOAL, 2) is None
    assert find_version(Subject.NAMES, 1) is None
    assert values_at(Subject.LATE, 0) == LateMoney(14, (), books_certain=True)


def test_a_theme_is_found_by_its_mark_also_after_it_was_changed(app, save):
    save(Subject.COLOURS, COLOURS)
    first = queries.house()
    save(Subject.COLOURS, replace(COLOURS, light=replace(COLOURS.light, accent="#2b6340")))
    client = app.test_client()
    for url in (first.theme_url, queries.house().theme_url):
        answer = client.get(url)
        assert (answer.status_code, answer.mimetype) == (200, "text/css")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers.getlist("Set-Cookie") == []
    assert "#1d4f8f" in client.get(first.theme_url).text
    assert client.get("/theme-000000000000.css").status_code == 404


def test_the_environment_may_say_where_readers_write_to():
    assert make_settings(contact_address="hello@example.org").contact_address == "hello@example.org"
    with pytest.raises(ValueError, match="e-mail address"):
        make_settings(contact_address="nobody")
