"""Use cases of appeals, on both databases: writing, freezing, running, ending, copying, whose they are."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError, IntegrityError

from membership.appeals import queries, services
from membership.appeals.models import Appeal, AppealEvent, AppealVariant
from membership.appeals.rules import Plan, State, Variant
from membership.appeals.services import owning
from membership.audit.models import AuditEntry
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from tests.factories.appeals import OTHER, SLOVA, WORDS, make_appeal, make_appeal_at, make_variant
from tests.factories.people import make_person, make_staff

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LANGUAGES = ["en", "uk"]


def again(appeal) -> Appeal:
    db.session.rollback()
    return queries.get_by_public_id(appeal.public_id)


def kinds(appeal) -> list[str]:
    return [event.kind for event in queries.events_of(appeal.id)]


def log() -> list[AuditEntry]:
    mine = select(AuditEntry).where(AuditEntry.action.startswith("appeal."))
    return list(db.session.scalars(mine.order_by(AuditEntry.number)))


def refused(service, *args) -> str:
    with pytest.raises(Conflict) as caught:
        service(*args)
    db.session.rollback()
    return caught.value.code


# Writing -----------------------------------------------------------------------------------------------


def test_a_new_appeal_is_a_draft_with_its_rules_and_words(editor):
    made = make_appeal(make_variant(), make_variant("b", 3, en=OTHER), actor=editor, tags=("Port",), countries=("ua",))
    assert made.public_id.startswith("apl_")
    assert (made.state, made.version, made.created_by_id, made.starts_at) == ("draft", 1, editor.id, None)
    assert (made.tags, made.countries) == (["port"], ["UA"])
    assert queries.variants_of(made.id) == [
        Variant("a", 1, {"en": WORDS, "uk": SLOVA}), Variant("b", 3, {"en": OTHER, "uk": SLOVA}),
    ]  # fmt: skip
    assert kinds(made) == ["drafted"]
    assert [(row.action, row.subject) for row in log()] == [("appeal.drafted", f"appeal:{made.public_id}")]


@pytest.mark.usefixtures("app")
def test_what_cannot_be_is_refused_before_anything_is_written():
    with pytest.raises(InvalidInput):
        make_appeal(make_variant(en=WORDS | {"button": "x"}))
    with pytest.raises(InvalidInput):
        make_appeal(holdout_percent=60)
    assert db.session.scalar(select(func.count()).select_from(Appeal)) == 0


def test_saving_changes_rules_and_words_and_says_which_without_any_word(editor):
    made = make_appeal(make_variant(), make_variant("b", en=OTHER))
    services.save(made.id, 1, Plan("Foot of the article", priority=9), [make_variant("b", 2, en=OTHER)], editor.id)
    found = again(made)
    assert (found.priority, found.version) == (9, 2)
    assert [variant.weight for variant in queries.variants_of(made.id)] == [1, 2]
    assert log()[-1].after == {"version": 2, "fields": ["priority", "b"]}


@pytest.mark.usefixtures("app")
def test_saving_what_is_there_already_writes_nothing():
    made = make_appeal(tags=("port",))
    services.save(made.id, 1, queries.plan_of(made), queries.variants_of(made.id), None)
    assert (again(made).version, kinds(made)) == (1, ["drafted"])


@pytest.mark.usefixtures("app")
def test_of_two_who_look_at_one_version_the_second_changes_nothing():
    made = make_appeal()
    services.save(made.id, 1, Plan("The first one"), [], None)
    for service, *more in (
        (services.save, Plan("The second one"), []), (services.add_variant,), (services.remove_variant, "a"),
        (services.start,),
    ):  # fmt: skip
        assert refused(service, made.id, 1, *more, None) == "appeal_changed"
    assert again(made).name == "The first one"


@pytest.mark.usefixtures("app")
def test_two_who_save_at_once_are_one_and_a_conflict(app):
    made, outcomes = make_appeal(), []
    db.session.rollback()
    gate = threading.Barrier(2)

    def _save(name):
        with app.app_context():
            gate.wait()
            try:
                services.save(made_id, 1, Plan(name), [], None)
                outcomes.append("saved")
            except Conflict as error:
                outcomes.append(error.code)
            db.session.remove()

    made_id = made.id
    db.session.rollback()
    both = [threading.Thread(target=_save, args=(name,)) for name in ("One of them", "The other one")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(outcomes) == ["appeal_changed", "saved"]


@pytest.mark.usefixtures("app")
def test_variants_come_and_go_from_one_to_four():
    made = make_appeal()
    for version, key in enumerate("bcd", 1):
        assert services.add_variant(made.id, version, None) == key
    assert refused(services.add_variant, made.id, 4, None) == "enough_variants"
    services.remove_variant(made.id, 4, "b", None)
    assert services.add_variant(made.id, 5, None) == "b"
    with pytest.raises(NotFound):
        services.remove_variant(made.id, 6, "x", None)
    for version, key in enumerate("abc", 6):
        services.remove_variant(made.id, version, key, None)
    assert refused(services.remove_variant, made.id, 9, "d", None) == "last_variant"
    assert [variant.key for variant in queries.variants_of(made.id)] == ["d"]


# Running -----------------------------------------------------------------------------------------------


def test_from_its_start_on_nothing_changes_but_its_end(editor):
    made = make_appeal_at(State.RUNNING, actor=editor)
    before = queries.plan_of(made), queries.variants_of(made.id)
    for service, *more in (
        (services.save, Plan("Other"), []), (services.add_variant,), (services.remove_variant, "a"),
    ):  # fmt: skip
        assert refused(service, made.id, made.version, *more, editor.id) == "appeal_is_fixed"
    found = again(made)
    assert (queries.plan_of(found), queries.variants_of(found.id)) == before
    assert kinds(found) == ["drafted", "started"]
    assert abs(found.starts_at - clock.now()) < timedelta(minutes=1)


@pytest.mark.usefixtures("app")
def test_it_is_not_started_before_its_words_are_whole():
    for made in (make_appeal(make_variant(), make_variant("b", en=None)), make_appeal(ends_at=clock.now() - DAY)):
        assert refused(services.start, made.id, 1, None) == "appeal_not_ready"
        assert again(made).state == "draft"
    assert services.start(make_appeal(make_variant(uk=None)).id, 1, None).state == "running"


@pytest.mark.usefixtures("app")
def test_start_and_stop_pressed_twice_are_one_step_and_the_stop_is_for_good():
    made = make_appeal()
    assert refused(services.stop, made.id, None) == "appeal_moved"
    for _ in range(2):
        services.start(made.id, 1, None)
    for _ in range(2):
        services.stop(made.id, None)
    assert kinds(made) == ["drafted", "started", "stopped"]
    assert refused(services.start, made.id, again(made).version, None) == "appeal_is_fixed"
    assert refused(services.end_sooner, made.id, clock.now() + DAY, None) == "appeal_moved"


@pytest.mark.usefixtures("app")
def test_it_may_end_sooner_and_never_later():
    now = clock.now()
    made = make_appeal_at(State.RUNNING, ends_at=now + 9 * DAY)
    for wanted in (now + 10 * DAY, now - DAY, None):
        with pytest.raises(InvalidInput):
            services.end_sooner(made.id, wanted, None)
    for _ in range(2):
        services.end_sooner(made.id, now + DAY, None)
    assert again(made).ends_at == now + DAY
    assert kinds(made) == ["drafted", "started", "shortened"]


def test_a_copy_of_any_state_is_a_draft_of_its_own_without_dates(editor):
    for state in State:
        source = make_appeal_at(state, actor=editor, tags=("port",), ends_at=clock.now() + DAY)
        made = services.copy(source.id, editor.id)
        assert (made.state, made.version, made.starts_at, made.ends_at) == ("draft", 1, None, None)
        assert (made.tags, queries.variants_of(made.id)) == (["port"], queries.variants_of(source.id))
        assert made.public_id != source.public_id
        assert [(event.kind, event.details) for event in queries.events_of(made.id)] == [
            ("copied", {"source": source.id})
        ]


# What readers' browsers are told ------------------------------------------------------------------------


@pytest.mark.usefixtures("app")
def test_only_what_runs_and_has_not_ended_is_told_the_highest_priority_first():
    now = clock.now()
    low, high = (make_appeal_at(State.RUNNING, priority=priority) for priority in (2, 8))
    soon = make_appeal_at(State.RUNNING, starts_at=now + HOUR / 2, ends_at=now + 2 * DAY)
    make_appeal_at(State.RUNNING, starts_at=now + 2 * HOUR)  # its words are nobody's business yet
    make_appeal_at(State.STOPPED)
    make_appeal()
    told = queries.running(now, LANGUAGES)
    assert [each["id"] for each in told] == [high.public_id, soon.public_id, low.public_id]
    assert soon.public_id not in [each["id"] for each in queries.running(now + 2 * DAY, LANGUAGES)]
    assert (told[1]["starts"], told[1]["ends"]) == (int((now + HOUR / 2).timestamp()), int((now + 2 * DAY).timestamp()))
    assert told[0]["ends"] is None


@pytest.mark.usefixtures("app")
def test_words_are_told_with_the_price_of_a_cup_and_only_in_languages_that_are_whole():
    made = make_appeal_at(State.RUNNING, make_variant(), make_variant("b", 4, en=OTHER, uk=None), sections=("Port",))
    (told,) = queries.running(clock.now(), LANGUAGES)
    assert told == {
        "id": made.public_id, "starts": int(made.starts_at.timestamp()), "ends": None, "languages": ["en"],
        "sections": ["port"], "tags": [], "not_tags": [], "countries": [], "on_sensitive": False, "views": 4,
        "days": 30, "apart": 1, "holdout": 10,
        "variants": [
            {
                "id": "a", "weight": 1,
                "en": {
                    "title": "You could close this page now.",
                    "body": "Or join the readers who make it possible.\nIt costs €4 a month.",
                    "button": "Join for €4",
                },
            },
            {"id": "b", "weight": 4, "en": OTHER},
        ],
    }  # fmt: skip
    assert queries.running(clock.now(), ["uk"]) == []


@pytest.mark.usefixtures("app")
def test_each_language_writes_the_price_in_its_own_way():
    amounts = queries.amounts_in(LANGUAGES)
    assert (amounts["en"], amounts["uk"].replace("\xa0", " ")) == ("€4", "4 €")


# The database and people --------------------------------------------------------------------------------


def test_events_stay_as_they_were_written(editor):
    made = make_appeal(actor=editor)
    with pytest.raises(DatabaseError), transaction("test"):
        db.session.execute(AppealEvent.__table__.update().values(kind="stopped"))
    with pytest.raises(DatabaseError), transaction("test"):
        db.session.execute(AppealEvent.__table__.delete())
    assert kinds(made) == ["drafted"]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "values",
    [
        {"state": "paused"},
        {"state": "running"},
        {"priority": 0},
        {"holdout_percent": 51},
        {"cap_views": 0},
        {"version": 0},
    ],
)
def test_the_database_refuses_what_no_appeal_can_be(values):
    made = make_appeal()
    with pytest.raises(IntegrityError), transaction("test"):
        db.session.execute(Appeal.__table__.update().where(Appeal.id == made.id).values(**values))


@pytest.mark.usefixtures("app")
def test_the_database_knows_each_variant_once():
    made = make_appeal()
    for key, weight in (("a", 1), ("e", 1), ("b", 10)):
        with pytest.raises(IntegrityError), transaction("test"):
            db.session.add(AppealVariant(appeal_id=made.id, key=key, weight=weight, texts={}))


def test_what_somebody_did_here_is_theirs_when_two_people_turn_out_to_be_one(app):
    first, second = make_staff("first@example.org"), make_person("second@example.org")
    made = make_appeal(actor=first)
    owning.merge(first.id, second.id, clock.now())
    assert again(made).created_by_id == second.id
    assert [event.actor_id for event in queries.events_of(made.id)] == [second.id]


@pytest.mark.usefixtures("app")
def test_no_more_than_ten_run_at_once_since_every_browser_reads_all_of_them():
    running = [make_appeal_at(State.RUNNING) for _ in range(10)]
    draft = make_appeal()
    with pytest.raises(Conflict, match="Ten appeals run already"):
        services.start(draft.id, draft.version, None)
    services.stop(running[0].id, None)
    assert services.start(draft.id, draft.version, None).state == State.RUNNING
