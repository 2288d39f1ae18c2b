"""The list of people: who is found by what, filters, sorting, pages that neither repeat nor skip anybody."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from membership.accounts import services as accounts
from membership.accounts.models import AddressChange, Person, PersonWord
from membership.accounts.rules import folded, words_of
from membership.billing.models import PaymentFailure, PaymentReversal
from membership.contributions.models import Card, Contribution
from membership.contributions.rules import State
from membership.db import db, transaction
from membership.front.models import Segment
from membership.front.queries import listing
from membership.front.queries.kept import list_segments, list_tags, tags_of_person
from membership.front.queries.listing.pages import PAGE_LENGTH
from membership.front.rules.filters import Column, Filter, Sort, Standing
from membership.front.services import lists, segments, tagging
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.patrons import services as patrons
from membership.patrons.queries import standing_of
from membership.patrons.rules import Why
from membership.transfers.models import Declaration, KnownPayer, StatementLine
from membership.transfers.rules import codes
from membership.transfers.rules.waiting import WAIT_FOR
from membership.transfers.services.importing import account_digest
from tests.factories.gifts import make_gift
from tests.factories.listed import cover, make_card, make_payment, make_people, make_support
from tests.factories.people import any_token, make_person, make_staff, sign_in

ACTOR = "staff:per_test"
NEWEST, DOWN, UP = Sort(), True, False


def read(wanted=None, sort=NEWEST, place="", **fields):
    return lists.read_page(wanted or Filter(**fields), sort, place, actor=ACTOR, at=clock.now())


def names(found) -> list[str]:
    return [line.person.email.partition("@")[0] for line in found.lines]


def found(text="", **fields) -> list[str]:
    return sorted(names(read(q=text, **fields)))


# Finding ------------------------------------------------------------------------------------------------


@pytest.fixture
def olena(app):
    """Somebody with everything that a person can be found by."""
    person = make_person("olena.petrenko@example.org", public_name="Олена Дем’янчук")
    make_person("ivan@example.org", public_name="Іван 100%")
    return person


@pytest.mark.parametrize(
    "text",
    ["олена", "ОЛЕ", "Дем'янч", "демянчук", "Олена Дем", "Дем’янчук Олена", "olena", "OLENA.P", "petren",
     "olena.petrenko@ex", "Olena.Petrenko@Example.org"],
)  # fmt: skip
def test_somebody_is_found_by_the_beginning_of_any_word_of_theirs(olena, text):
    assert found(text) == ["olena.petrenko"]


def test_a_domain_finds_everybody_there_and_a_mark_nobody(olena):
    assert found("@example") == ["ivan", "olena.petrenko"]
    assert found("100") == ["ivan"]
    for text in ("%", "_", "nobody", "Олена Іван", "енко"):
        assert found(text) == [], text


def test_what_is_looked_up_whole_is_found_by_its_own_index(olena):
    row = make_support(olena, email="wallet@example.org")
    payment, gift = make_payment(row, number="2026-000042"), make_gift("giver@example.org")
    make_card(row, "8431")
    now = clock.now()
    with transaction("test.more"):
        db.session.add(PaymentReversal(
            provider_id="re_L1", payment_id=payment.id, amount_minor=1, reason="refund", moved_at=now
        ))  # fmt: skip
        db.session.add(PaymentFailure(
            provider_ref="in_failed1", reference=row.reference, amount_minor=400, currency="EUR", reason="x",
            failed_at=now,
        ))  # fmt: skip
        db.session.add(AddressChange(
            person_id=olena.id, old_email="old@example.org", new_email=olena.email, changed_at=now, undo_until=now
        ))  # fmt: skip
    for text in (
        olena.public_id, row.reference, row.customer_id, row.subscription_id, row.checkout_id, payment.provider_id,
        "re_L1", "in_failed1", "2026-000042", "8431", "•••• 8431", "wallet@example.org", "old@example.org",
    ):  # fmt: skip
        assert found(text) == ["olena.petrenko"], text
    assert found(gift.public_id) == found(gift.reference) == ["giver"]
    assert found("cus_L999999") == found("2026-000043") == found("8432") == []


def test_a_giver_by_transfer_is_found_by_account_end_of_account_and_code(olena):
    account, row = "UA213223130000026007233566001", make_support(olena, way="bank")
    with transaction("test.transfers"):
        line = StatementLine(
            identity="1" * 64, way="bank", source="camt", kind="credit", booked_on=clock.now().date(), amount_minor=400,
            currency="EUR", imported_at=clock.now(), state="new",
        )  # fmt: skip
        db.session.add(line)
        db.session.flush()
        db.session.add(KnownPayer(
            account_digest=account_digest(account), account_end=account[-4:], person_id=olena.id, line_id=line.id
        ))  # fmt: skip
        body = codes.new_body()
        db.session.add(
            Declaration(
                contribution_id=row.id,
                prefix="HP",
                body=body,
                rhythm="once",
                created_at=clock.now(),
                lapses_at=clock.now() + WAIT_FOR,
            )
        )
    for text in (account, "UA21 3223 1300 0002 6007 2335 6600 1", "6001", codes.written("HP", body)):
        assert found(text) == ["olena.petrenko"], text


def test_the_name_of_somebody_who_was_merged_finds_whoever_they_are_now(olena):
    other = make_person("olena2@example.org", public_name="Олена Друга")
    accounts.merge(other.id, olena.id, "One reader.", "system", clock.now())
    assert found(other.public_id) == ["olena.petrenko"]
    assert found("olena2") == found("Олена Друга") == []
    assert "merged" not in str(names(read()))


def test_words_follow_a_person_whoever_writes_them(olena):
    def words():
        rows = db.session.execute(select(PersonWord.word, PersonWord.kind).where(PersonWord.person_id == olena.id))
        return {word: kind for word, kind in rows}  # noqa: C416 - rows

    assert words() == words_of(olena.email, olena.public_name)
    with transaction("test.rename"):
        olena.public_name, olena.email = "Марко", "marko@example.org"
    assert words() == words_of("marko@example.org", "Марко")
    with transaction("test.other"):
        olena.locale = "uk"
    assert words() == words_of("marko@example.org", "Марко")


def test_a_search_that_meets_many_is_walked_along_its_words_page_by_page(app, monkeypatch):
    monkeypatch.setattr(listing.pages, "MOST_SORTED", 50)
    people, met, place = make_people(60, prefix="anna"), [], ""
    with transaction("test.name"):
        people[0].public_name = "Anna"
    for number in range(3):
        page = read(q="ann", place=place)
        assert (page.n, page.is_sorted) == (None if number else 60, False)
        met, place = met + names(page), page.next_place
    assert not place
    assert len(met) == len(set(met)) == 60, "who is met by name and address comes once"


def test_a_search_reads_indexes_only(app, database_url):
    """Whatever a search is for, no table that grows with people is read from end to end."""
    if not database_url.startswith("sqlite"):
        return  # the planner of PostgreSQL reads a small table whole, and rightly: its plan is looked at in the bench
    make_person(public_name="Олена Петренко")
    asked = []

    def note(_connection, _cursor, statement, parameters, *_more):
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        for text in (
            "олена",
            "Олена Пет",
            "olena@",
            "olena@example.org",
            "con_x",
            "cus_x",
            "2026-000001",
            "1234",
            "per_x",
        ):
            read(q=text)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    with db.engine.connect() as connection:
        for statement, parameters in [each for each in asked if each[0].startswith("SELECT")]:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            scans = [row.detail for row in plan if re.match(r"SCAN (?!\(|anon|tags|segments|\d)", row.detail)]
            assert [scan for scan in scans if "CONSTANT" not in scan and "USING" not in scan] == [], statement


# Filters ------------------------------------------------------------------------------------------------


def test_standing_tells_patrons_those_in_grace_the_lapsed_and_everybody_else_apart(app):
    patron, graced, lapsed, never, later = make_people(5)
    cover(patron.id, 3, -27)
    cover(graced.id, 40, 10)
    patrons.open_grace(graced.id, "con_g", opened_at=clock.now() - timedelta(days=2), days=14)
    cover(lapsed.id, 90, 60)
    cover(later.id, -5, -35)
    by_standing = {standing: found(standing=standing) for standing in Standing}
    assert by_standing == {
        Standing.PATRON: ["r000", "r001"], Standing.GRACE: ["r001"], Standing.LAPSED: ["r002"],
        Standing.NEVER: ["r003", "r004"],
    }  # fmt: skip
    assert never.id != later.id


EXPECTED = {Why.PAID: "patron", Why.GRACE: "grace", Why.ENDED: "lapsed", Why.NONE: "never"}
spans = st.lists(st.tuples(st.integers(-40, 80), st.integers(1, 60)), max_size=4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans, st.none() | st.tuples(st.integers(0, 20), st.integers(1, 20)))
def test_the_list_and_the_page_of_a_person_agree_on_their_standing(app, spans, grace):
    person = make_person(f"p{db.session.query(Person).count()}@example.org")
    for from_days_ago, length in spans:
        cover(person.id, from_days_ago, from_days_ago - length)
    if grace:
        patrons.open_grace(person.id, "con_x", opened_at=clock.now() - timedelta(days=grace[0]), days=grace[1])
    word = EXPECTED[standing_of(person.id, clock.now()).why]
    mine = {standing.value for standing in Standing if names(read(q=person.email, standing=standing))}
    assert mine == ({"patron", "grace"} if word == "grace" else {word})
    assert read(q=person.email).lines[0].standing == standing_of(person.id, clock.now())


def test_what_is_asked_of_support_is_asked_of_one_and_the_same(app):
    both, uah, yearly, begun = make_people(4)
    make_support(both, currency="UAH", cup=10000, n_cups=1)
    make_support(both, State.ENDED, n_cups=4)
    make_support(uah, currency="UAH", cup=10000, n_cups=4)
    make_support(yearly, rhythm="yearly", n_cups=2, way="bank")
    make_support(begun, State.STARTED, n_cups=9)
    assert found(currency="UAH") == ["r000", "r001"]
    assert found(currency="UAH", cups_from=4) == ["r001"]
    assert found(cups_from=2, cups_to=2) == ["r002"], "cups of a yearly gift are counted by the month"
    assert found(state=State.ENDED) == ["r000"]
    assert found(rhythm="yearly", way="bank") == ["r002"]
    assert found(rhythm="yearly", way="card") == []
    assert found(state=State.STARTED) == ["r003"]
    assert found(cups_from=9) == [], "what was only begun is asked for by its state"


def test_cups_follow_a_change_of_terms(app):
    row = make_support(make_people(1)[0], n_cups=2)
    assert row.n_cups == 2
    with transaction("test.change"):
        row.terms = type(row.terms)(row.gift * 2, row.charge * 2, row.cup, row.terms.rhythm)
    assert row.n_cups == 4


def test_the_other_filters(app):
    now, (old, new, flagged, gone) = clock.now(), make_people(4)
    with transaction("test.change"):
        old.created_at, old.locale = now - timedelta(days=400), "uk"
        gone.disabled_at = now
    make_staff("boss@example.org", "owner")
    make_support(new, State.PAST_DUE, failed_at=now)
    for _ in range(2):
        make_support(flagged)
    tagging.tag_by_name(new, "Jury", actor="staff:st_1", at=now)
    day = (now - timedelta(days=390)).date()
    assert found(joined_to=day) == ["r000"]
    assert found(joined_from=day) == ["boss", "r001", "r002", "r003"]
    assert found(locale="uk") == ["r000"]
    assert found(trouble=True) == ["r001"]
    assert found(look=True) == ["r002"]
    assert found(role="owner") == found(role="any") == ["boss"]
    assert found(role="editor") == []
    assert found(tag="jury") == ["r001"]
    assert found("r00", trouble=True) == ["r001"], "what is typed and what is filtered hold together"


def test_two_people_with_one_card_or_customer_are_worth_a_look(app):
    people = make_people(5)
    cards = [
        make_card(make_support(person, customer_id=customer))
        for person, customer in zip(people, ("cus_1", "cus_1", "cus_2", "cus_3", "cus_4"), strict=True)
    ]
    with transaction("test.cards"):
        for card in cards[2:4]:
            db.session.get_one(Card, card.id).fingerprint = "same"
    assert found(look=True) == ["r000", "r001", "r002", "r003"]


# Sorting and pages --------------------------------------------------------------------------------------


@pytest.fixture
def crowd(app):
    """Sixty people, of whom some have a name, coverage, support."""
    people = make_people(60)
    with transaction("test.names"):
        for i, person in enumerate(people):
            person.public_name = f"{'абвгґдеєжзиіїйк'[i % 15]}{i}" if i % 3 else None
    for i, person in enumerate(people[:40]):
        cover(person.id, 10 + i % 7, 5 - i % 9)
    for i, person in enumerate(people[:30]):
        make_support(person, n_cups=1 + i % 5)
        if i % 2:
            make_support(person, State.ENDED, n_cups=7 - i % 5)
    return people


@pytest.mark.parametrize("is_down", [True, False])
@pytest.mark.parametrize("column", list(Column))
def test_every_sorting_shows_everybody_once_in_its_order_whoever_comes_meanwhile(crowd, column, is_down):
    expected, met, place = in_order(column, is_down), [], ""
    for number in range(5):
        page = read(sort=Sort(column, is_down), place=place)
        met += names(page)
        place = page.next_place
        newcomer = make_person(
            f"{'0' if is_down else 'zz'}{number}@example.org"
        )  # behind all, or before: never between
        with transaction("test.newcomer"):
            newcomer.created_at = clock.now() + timedelta(days=1)
        if not place:
            break
    assert [name for name in met if name.startswith("r")] == expected
    assert len(set(met)) == len(met)


def in_order(column, is_down) -> list[str]:
    """The order worked out one by one."""
    people = db.session.scalars(select(Person).where(Person.email.like("r%@%")).order_by(Person.id)).all()
    keys = {person: key_of(person, column) for person in people}
    some = sorted((p for p in people if keys[p] is not None), key=lambda p: (keys[p], p.id), reverse=is_down)
    return [person.email.partition("@")[0] for person in (*some, *(p for p in people if keys[p] is None))]


def key_of(person, column):
    match column:
        case Column.JOINED:
            return person.created_at
        case Column.ADDRESS:
            return person.email
        case Column.NAME:
            return folded(person.public_name or "") or None
        case Column.UNTIL:
            return standing_of(person.id, clock.now()).until
        case Column.CUPS:
            return db.session.scalar(select(func.max(Contribution.n_cups)).where(Contribution.person_id == person.id))


def test_a_page_says_how_many_there_are_and_where_the_next_one_is(crowd):
    first = read()
    assert (first.n, len(first.lines)) == (60, PAGE_LENGTH)
    second = read(place=first.next_place)
    assert (second.n, len(second.lines)) == (None, PAGE_LENGTH)
    assert not set(names(first)) & set(names(second))
    assert names(read(place="nonsense")) == names(first)
    assert read(q="r00").n == 10


def test_counting_ends_at_the_cap(crowd, monkeypatch):
    monkeypatch.setattr("membership.front.queries.listing.pages.MOST_COUNTED", 30)
    assert read().n == 31
    assert listing.count(Filter(q="@example.org"), clock.now()) == 31


# Kept filters and tags ----------------------------------------------------------------------------------


def test_a_filter_is_kept_under_a_name_without_what_was_typed(app):
    wanted = Filter(q="olena@example.org", standing=Standing.LAPSED, currency="UAH")
    segments.keep("Lapsed in Ukraine", wanted, actor=ACTOR, at=clock.now())
    [kept] = list_segments()
    assert (kept.name, kept.wanted) == ("Lapsed in Ukraine", wanted.without("q"))
    with pytest.raises(Conflict):
        segments.keep("LAPSED in ukraine", wanted, actor=ACTOR, at=clock.now())
    with pytest.raises(InvalidInput) as error:
        segments.keep("Everybody", Filter(q="olena"), actor=ACTOR, at=clock.now())
    assert error.value.code == "segment_empty"
    assert segments.remove(kept.id, "staff:st_1") == "Lapsed in Ukraine"
    assert list_segments() == []


def test_tags_are_one_whatever_their_case_and_follow_a_merge(app):
    one, two, now = make_person("one@example.org"), make_person("two@example.org"), clock.now()
    first, again = (
        tagging.tag_by_name(one, "Jury", actor="staff:st_1", at=now),
        tagging.tag_by_name(two, "JURY", actor="staff:st_1", at=now),
    )
    assert first.id == again.id
    tagging.tag_by_name(two, "Press", actor="staff:st_1", at=now)
    accounts.merge(two.id, one.id, "One reader.", "system", now)
    assert [tag.name for tag in tags_of_person(one.id)] == ["Jury", "Press"]
    assert tags_of_person(two.id) == []
    assert tagging.take_off(one.id, first.id)
    assert not tagging.take_off(one.id, first.id)
    assert [tag.name for tag in list_tags()] == ["Press"], "a tag that nobody has is not shown"


# The page -----------------------------------------------------------------------------------------------


def at_the_desk(app, role):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def test_the_page_is_a_link_and_says_what_it_filters_by(app, crowd):
    desk = at_the_desk(app, "finance")
    page = desk.get("/staff/people?standing=patron&cups_from=2&sort=-cups&q=r0").get_data(as_text=True)
    assert 'aria-sort="descending"' in page
    assert "from 2 cups" in page
    assert 'href="/staff/people?q=r0&amp;standing=patron&amp;sort=-cups"' in page, "the way to take one thing off"
    assert "r007@example.org" in page
    assert "r002@example.org" not in page


def test_what_is_not_understood_is_said_and_never_widens_what_is_done(app, crowd):
    desk = at_the_desk(app, "owner")
    page = desk.get("/staff/people?standing=evil").get_data(as_text=True)
    assert "was not understood" in page
    assert desk.get("/staff/people/export?standing=evil").status_code == 422
    for path in ("export", "many", "segments"):
        fields = {"csrf_token": any_token(desk), "filter": "standing=evil"} | (
            {"name": "x"} if path == "segments" else {}
        )
        assert desk.post(f"/staff/people/{path}", data=fields).status_code == 422, path
    assert db.session.query(Segment).count() == 0


def test_filters_are_kept_and_forgotten_by_who_may(app, crowd):
    desk = at_the_desk(app, "finance")
    fields = {"csrf_token": any_token(desk), "filter": "standing=patron", "name": "Ours"}
    assert desk.post("/staff/people/segments", data=fields).location.endswith("/staff/people?standing=patron")
    page = desk.get("/staff/people?standing=patron").get_data(as_text=True)
    assert re.search(r'people-chip--kept" href="/staff/people\?standing=patron" aria-current="true">Ours<', page)
    viewer = at_the_desk(app, "viewer")
    assert "Ours" in viewer.get("/staff/people").get_data(as_text=True)
    [segment] = list_segments()
    for path in ("/staff/people/segments", f"/staff/people/segments/{segment.id}/remove"):
        assert viewer.post(path, data={"csrf_token": any_token(viewer)}).status_code == 403
    desk.post(f"/staff/people/segments/{segment.id}/remove", data={"csrf_token": any_token(desk)})
    assert list_segments() == []


def test_a_tag_is_put_on_and_taken_off_on_the_persons_page(app, crowd):
    desk, person = at_the_desk(app, "finance"), crowd[0]
    path = f"/staff/people/{person.public_id}/tags"
    assert desk.post(path, data={"csrf_token": any_token(desk), "name": "Jury"}).status_code == 303
    desk.post(path, data={"csrf_token": any_token(desk), "name": "a@b.org"})
    page = desk.get(f"/staff/people/{person.public_id}").get_data(as_text=True)
    assert "Jury" in page
    assert "leave addresses out" in page
    [tag] = tags_of_person(person.id)
    desk.post(f"{path}/{tag.id}/remove", data={"csrf_token": any_token(desk)})
    assert tags_of_person(person.id) == []


def test_who_only_looks_has_no_box_to_tick(app, crowd):
    page = at_the_desk(app, "viewer").get("/staff/people").get_data(as_text=True)
    assert 'name="who"' not in page
    assert "/staff/people/export" not in page
