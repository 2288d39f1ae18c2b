"""The desk of appeals, and the part of the public file that the script reads."""

import re
from datetime import timedelta

import pytest

from membership.appeals import queries, services
from membership.appeals.forms import MINUTES
from membership.appeals.rules import Plan, State, Variant
from membership.kernel import clock
from membership.newsroom import services as newsroom
from membership.newsroom.queries import zone
from membership.newsroom.rules.plain import Languages
from membership.newsroom.rules.subjects import Subject
from tests.factories.appeals import OTHER, SLOVA, WORDS, make_appeal, make_appeal_at, make_variant
from tests.factories.people import any_token, make_staff, sign_in

SCRIPT = "<script>alert(1)</script>"
NEW = "/staff/appeals/new"


def fields(*keys, words=WORDS, **changes) -> dict:
    """What the form of an appeal sends, with these variants (one) in English and Ukrainian."""
    plan = {"name": "Foot of the article", "priority": "5", "holdout_percent": "10", "cap_views": "4", "cap_days": "30"}
    for key in keys or ("a",):
        plan[f"{key}_weight"] = "1"
        plan |= {f"{key}_en_{part}": text for part, text in words.items()}
        plan |= {f"{key}_uk_{part}": text for part, text in SLOVA.items()}
    return plan | {"days_between": "1", "version": "1"} | changes


def send(client, path, **typed):
    return client.post(path, data={"csrf_token": any_token(client)} | typed)


def read(client, path) -> str:
    return client.get(path, headers={"Accept-Language": "en"}).get_data(as_text=True)


def made_by(answer):
    return queries.get_by_public_id(answer.location.rpartition("/")[2])


def path_of(appeal, deed="") -> str:
    return f"/staff/appeals/{appeal.public_id}{deed}"


def told(client) -> dict:
    return client.get("/embed/config.json").json["parts"]


# The desk ----------------------------------------------------------------------------------------------


def test_an_appeal_is_written_looked_at_started_and_stopped(desk):
    answer = send(desk, NEW, **fields(do="add", tags="Port, Council", countries="ua"))
    assert answer.status_code == 303
    made = made_by(answer)
    assert (made.tags, made.countries, len(queries.variants_of(made.id))) == (["port", "council"], ["UA"], 2)
    page = read(desk, path_of(made))
    assert "It cannot be started yet" in page
    assert "Join for €4" in page
    typed = fields("a", "b", version="2", b_en_title=OTHER["title"])
    assert send(desk, path_of(made), **typed).status_code == 303
    page = read(desk, path_of(made))
    assert "It cannot be started yet" not in page
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    assert send(desk, path_of(made, "/start"), version=version).status_code == 303
    page = read(desk, path_of(made))
    assert 'name="a_en_title"' not in page
    assert "Iryna Bondar started it." in page
    assert send(desk, path_of(made, "/stop")).status_code == 303
    assert queries.get_by_public_id(made.public_id).state == "stopped"
    copied = made_by(send(desk, path_of(made, "/copy")))
    assert (copied.state, copied.name) == ("draft", "Foot of the article")


def test_mistakes_stand_beside_their_fields_and_nothing_that_was_typed_is_lost(desk):
    wrong = fields(words=WORDS | {"title": "Join for {price} now"}, holdout_percent="51", countries="Ukraine", name=" ")
    answer = send(desk, NEW, **wrong, starts_at="2026-12-02T10:00", ends_at="2026-12-01T10:00")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    for sentence in (
        "Of words in braces only {amount} is known", "This number is too small or too large",
        "Please use codes of two letters", "Please type a name", "An appeal ends after it begins.",
    ):  # fmt: skip
        assert sentence in page
    assert "Join for {price} now" in page
    assert all(not rows for rows in queries.list_by_state().values())


def test_who_was_slower_is_told_and_keeps_what_they_typed(desk):
    made = make_appeal()
    services.save(made.id, 1, Plan("The faster one"), [], None)
    answer = send(desk, path_of(made), **fields(name="The slower one"))
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "Somebody else saved this appeal" in page
    assert 'value="The slower one"' in page
    assert queries.get_by_public_id(made.public_id).name == "The faster one"


def test_a_variant_is_removed_with_its_tick_but_never_the_last_one(desk):
    made = make_appeal(make_variant(), make_variant("b", en=OTHER))
    assert send(desk, path_of(made), **fields("a", "b", a_remove="y", b_remove="y")).status_code == 409
    assert send(desk, path_of(made), **fields("a", "b", a_remove="y")).status_code == 303
    assert [variant.key for variant in queries.variants_of(made.id)] == ["b"]


def test_words_in_a_language_that_is_no_longer_offered_stay(desk):
    newsroom.save(Subject.LANGUAGES, Languages(("en",), "en"), 0, "staff:1", clock.now())
    made = make_appeal()
    typed = {name: value for name, value in fields(name="Other").items() if "_uk_" not in name}
    assert send(desk, path_of(made), **typed).status_code == 303
    assert queries.variants_of(made.id) == [Variant("a", 1, {"en": WORDS, "uk": SLOVA})]


def test_it_starts_as_it_was_looked_at_or_not_at_all(desk):
    made = make_appeal()
    for version in ("2", "0", "x", ""):
        assert send(desk, path_of(made, "/start"), version=version).status_code == 409
    assert queries.get_by_public_id(made.public_id).state == "draft"


def test_a_running_one_ends_sooner_by_the_form_and_says_why_not(desk):
    made = make_appeal_at(State.RUNNING)
    for typed in ("", "2020-01-01T10:00"):
        answer = send(desk, path_of(made, "/end"), ends_at=typed)
        assert answer.status_code == 422
        assert "field--wrong" in answer.get_data(as_text=True)
    later = (clock.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    assert send(desk, path_of(made, "/end"), ends_at=later.astimezone(zone()).strftime(MINUTES)).status_code == 303
    assert queries.get_by_public_id(made.public_id).ends_at == later


def test_the_list_has_a_shelf_for_each_state(desk):
    assert "No appeal yet" in read(desk, "/staff/appeals")
    for state in State:
        make_appeal_at(state, name=f"An appeal that is {state}")
    page = read(desk, "/staff/appeals")
    places = [page.index(f"An appeal that is {state}") for state in ("running", "draft", "stopped")]
    assert places == sorted(places)
    make_appeal_at(State.RUNNING, name="One of later", starts_at=clock.now() + timedelta(days=2))
    assert "Begins later" in read(desk, "/staff/appeals")


def test_words_are_shown_as_words(desk):
    words = WORDS | {"body": f"Look at this: {SCRIPT}", "title": f"{SCRIPT} x"}
    made = make_appeal(make_variant(en=words), name=f"{SCRIPT} name")
    assert SCRIPT not in read(desk, path_of(made))
    assert SCRIPT not in read(desk, "/staff/appeals")


def test_who_may_only_look_sees_it_and_changes_nothing(app, client):
    made = make_appeal()
    sign_in(client, make_staff("viewer@example.org", "viewer").email)
    page = read(client, path_of(made))
    assert "Owners and editors decide" in page
    assert "You could close this page now." in page
    assert 'name="a_en_title"' not in page
    for deed in ("", "/start", "/stop", "/copy", "/end"):
        assert send(client, path_of(made, deed)).status_code == 403
    assert client.get(NEW).status_code == 403
    assert client.get("/staff/appeals/apl_unknown").status_code == 404


# The public file ---------------------------------------------------------------------------------------


def test_the_part_is_missing_while_nothing_runs(client, app):
    make_appeal()
    make_appeal_at(State.STOPPED)
    assert "appeal" not in told(client)


def test_the_part_holds_all_that_the_script_needs(client, app):
    made = make_appeal_at(State.RUNNING)
    part = told(client)["appeal"]
    assert set(part) == {"href", "events", "sample", "list", "en", "uk"}
    assert (part["href"], part["events"], part["sample"]) == ("http://localhost/contribute", "/embed/events", 1.0)
    assert [each["id"] for each in part["list"]] == [made.public_id]
    assert part["en"] == {
        "label": "A word from The Harbour Post", "close": "Close", "already": "I already support you",
        "thanks": "Thank you! We will not ask you here again for a while.",
    }  # fmt: skip
    assert set(part["uk"]) == set(part["en"])
    assert part["uk"]["already"] != part["en"]["already"]


@pytest.mark.parametrize("offered", [("uk",), ("en",)])
def test_only_languages_that_readers_are_spoken_to_in_are_told(client, app, offered):
    newsroom.save(Subject.LANGUAGES, Languages(offered, offered[0]), 0, "staff:1", clock.now())
    make_appeal_at(State.RUNNING)
    part = told(client)["appeal"]
    assert part["list"][0]["languages"] == list(offered)
    assert set(part["list"][0]["variants"][0]) == {"id", "weight", *offered}
