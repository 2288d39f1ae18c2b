"""Pages of topics through the front door: who sees what, what a page may not let through, feeds, the desk."""

import html
import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
import time_machine
from html5lib import HTMLParser

from membership.accounts.rules import Role
from membership.db import db
from membership.kernel import clock
from membership.topics import queries, services
from membership.topics.rules import Stage
from tests.factories.people import any_token, make_person, make_staff, sign_in
from tests.factories.topics import STORY, TITLE, WHY, make_topic, make_topic_at

ATOM = "{http://www.w3.org/2005/Atom}"
EVIL = "<script>alert(1)</script> & \"quotes\" 'of' all kinds"


@pytest.fixture
def olena(app, client):
    """A browser in which a member is signed in; `olena.person` is who."""
    client.person = make_person()
    sign_in(client)
    return client


def a_day(n_days):
    """The day so many days from now, as a form sends it."""
    return (clock.real_now() + timedelta(days=n_days)).date().isoformat()


def browser_of(app, role):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role, f"The {role}")
    sign_in(browser, f"{role}@example.org")
    return browser


@pytest.fixture
def desk(app):
    """A browser in which an editor is signed in."""
    return browser_of(app, "editor")


def page(client, path, status=200):
    """A page as text, after the inspection that every page passes."""
    answer = client.get(path)
    assert answer.status_code == status, path
    source = answer.get_data(as_text=True)
    parser = HTMLParser(strict=False)
    parser.parse(source)
    assert [code for _, code, _ in parser.errors] == [], path
    ids = re.findall(r'\sid="([^"]+)"', source)
    assert len(ids) == len(set(ids)), path
    assert source.count("<h1") == 1, path
    return source


def post(client, path, **data):
    return client.post(path, data={"csrf_token": any_token(client)} | data)


def fill_in(**changes):
    return {"title": TITLE, "why": WHY, "links": "", "locale": "en", "step": ""} | changes


# Proposing ----------------------------------------------------------------------------------------------


def test_a_member_proposes_and_sees_it_wait_where_others_see_nothing(app, olena, desk):
    answer = post(olena, "/topics/propose", **fill_in(links="https://example.org/a\r\nhttps://example.org/b"))
    assert answer.status_code == 303
    topic = queries.get_by_public_id(answer.location.rpartition("/")[2])
    assert topic.links == ["https://example.org/a", "https://example.org/b"]
    assert "has not decided yet" in page(olena, answer.location)
    assert TITLE in page(olena, "/topics/mine")
    page(app.test_client(), answer.location, status=404)
    for path in ("/topics", "/topics?shelf=waiting", "/topics?q=dredging", "/topics/feed.atom"):
        assert TITLE not in app.test_client().get(path).get_data(as_text=True)
    assert app.test_client().get(f"{answer.location}/feed.atom").status_code == 404
    assert TITLE in page(desk, "/staff/topics")


def test_near_duplicates_are_a_step_before_sending(olena):
    known = make_topic_at("shortlisted")
    typed = fill_in(title="Dredging contracts: who gets them?")
    step = post(olena, "/topics/propose", **typed)
    assert step.status_code == 200
    source = step.get_data(as_text=True)
    assert TITLE in source
    assert queries.proposals_of(olena.person.id) == []
    change = post(olena, "/topics/propose", **(typed | {"step": "send", "is_to_change": "yes"})).get_data(as_text=True)
    assert html.escape(typed["title"]) in change
    assert queries.proposals_of(olena.person.id) == []
    follow = post(olena, f"/topics/{known.public_id}/follow")
    assert follow.location == f"/topics/{known.public_id}"
    assert queries.followed_among([known.id], olena.person.id)
    hidden = dict(re.findall(r'<input type="hidden" name="(title|why|links|locale|step)" value="([^"]*)"', source))
    sent = post(olena, "/topics/propose", **{name: html.unescape(value) for name, value in hidden.items()})
    assert sent.status_code == 303
    (mine,) = queries.proposals_of(olena.person.id)
    assert (mine.title, mine.why) == (typed["title"], WHY)


def test_mistakes_stand_beside_their_fields_and_nothing_typed_is_lost(olena):
    answer = post(
        olena, "/topics/propose", **fill_in(title="x", links="javascript:alert(1)", why="Because it matters.")
    )
    source = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="title-error"' in source
    assert 'id="links-error"' in source
    assert "Because it matters." in source
    assert queries.proposals_of(olena.person.id) == []


def test_five_proposals_a_day(olena):
    wishes = [f"{matter} matters to all of us" for matter in ("Bread", "Trams", "Ferries", "Chess", "Opera", "Garlic")]
    answers = [post(olena, "/topics/propose", **fill_in(title=title, step="send")) for title in wishes]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429]
    assert "Garlic matters" in answers[-1].get_data(as_text=True)
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_list_while_typing_knows_public_topics_only(olena):
    make_topic("The dredging contracts once more")
    known = make_topic_at("shortlisted")
    found = olena.get("/topics/similar?q=dredging+contract").get_json()["topics"]
    assert found == [{"title": TITLE, "lang": "en", "url": f"/topics/{known.public_id}"}]
    assert olena.get("/topics/similar?q=dr").get_json() == {"topics": []}
    assert olena.get("/topics/similar?q=" + "%F0%9F%A6%80" * 200).status_code == 200


def test_typing_is_limited(olena):
    with time_machine.travel(clock.real_now(), tick=False):
        answers = [olena.get("/topics/similar?q=dredging").status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]


@pytest.mark.parametrize("path", ["/topics/propose", "/topics/mine", "/topics/similar?q=dredging"])
def test_taking_part_needs_an_account(client, path):
    assert client.get(path).location.startswith("/signin")


# Reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_its_page_for_everybody_concerned(app, client, desk, stage):
    member, owner = make_person(), make_staff("iryna@example.org", "editor", "Iryna Bondar")
    topic = make_topic_at(stage, proposer=member, owner=owner)
    proposer = app.test_client()
    sign_in(proposer)
    page(desk, f"/staff/topics/{topic.public_id}")
    if stage is Stage.MERGED:
        answer = client.get(f"/topics/{topic.public_id}")
        assert answer.status_code == 302
        assert TITLE in page(client, answer.location)
        return
    assert TITLE in page(proposer, f"/topics/{topic.public_id}")
    page(client, f"/topics/{topic.public_id}", status=404 if stage is Stage.PROPOSED else 200)


def test_empty_pages_teach(client):
    for path in ("/topics", "/topics?shelf=ballot", "/topics?shelf=closed", "/topics?shelf=work", "/topics?q=xyz",
                 "/promise", "/stories"):  # fmt: skip
        assert 'class="empty"' in page(client, path), path


def test_words_are_found_in_both_alphabets_whatever_the_case(client):
    make_topic_at("shortlisted", "Чому дорожчає вода?", locale="uk")
    make_topic_at("shortlisted", "Cafés by the river")
    for words, is_found in (("ВОДА", "вода?"), ("cafes RIVER", "Cafés"), ("port bids", "вода?")):
        assert is_found in page(client, f"/topics?q={words}")
    assert 'class="empty"' in page(client, "/topics?q=%25%25")


def test_long_lists_go_on_without_gaps_and_repeats(app, client, crowd):
    for n in range(45):
        topic = make_topic_at("shortlisted", f"A matter with the number {n:02}")
        for person in crowd[: n % 4]:
            services.follow(topic.id, person.id)
    for sort in ("followers", "latest"):
        seen, path = [], f"/topics?sort={sort}"
        while path:
            source = page(client, path)
            seen += re.findall(r"A matter with the number (\d\d)", source)
            more = re.search(r'href="([^"]+)" rel="next"', source)
            path = html.unescape(more.group(1)) if more else None
        assert len(seen) == len(set(seen)) == 45, sort
    for mark in ("x", "1.", "-1.5", "9" * 40, "99999999999999999999.1", "1.1.1", "٣.٣"):
        assert client.get("/topics", query_string={"after": mark, "sort": "latest"}).status_code == 200
        assert client.get("/stories", query_string={"before": mark}).status_code == 200


def test_nothing_typed_becomes_markup(app, client, desk):
    owner = make_staff("iryna@example.org", "editor", "Iryna <b>Bondar</b>")
    topic = make_topic_at("chosen", EVIL, why=f"{EVIL}\n\n{EVIL}", links=["https://example.org/?a='b'&c=%3Cscript%3E"])
    services.assign(topic.id, owner.id, date(2027, 4, 30), owner.id)
    services.update(topic.id, EVIL, owner.id)
    services.publish(topic.id, STORY[0], EVIL, owner.id)
    other = make_topic(f"{EVIL} again")
    services.merge(other.id, make_topic_at("shortlisted", "Quite another matter").id, owner.id)
    paths = ["/topics?shelf=published", f"/topics/{topic.public_id}", "/stories", "/topics/feed.atom",
             f"/topics/{topic.public_id}/badge", f"/topics/{topic.public_id}/feed.atom"]  # fmt: skip
    for browser, path in [(client, path) for path in paths] + [(desk, f"/staff/topics/{topic.public_id}")]:
        source = browser.get(path, follow_redirects=True).get_data(as_text=True)
        assert "<script>" not in source, path
        assert "<b>" not in source, path
    assert client.get(f"/topics?q={EVIL}").status_code == 200


def test_hidden_words_are_hidden_everywhere_but_from_staff_and_their_author(app, client, desk):
    author = app.test_client()
    topic = make_topic("My neighbour is a thief", proposer=make_person("author@example.org"))
    sign_in(author, "author@example.org")
    services.decline(topic.id, "It accuses a private person.", None, is_hidden=True)
    paths = ["/topics?shelf=closed", f"/topics/{topic.public_id}", "/topics/feed.atom"]
    for path in paths:
        assert "thief" not in client.get(path).get_data(as_text=True), path
    assert "accuses a private person" in page(client, f"/topics/{topic.public_id}")
    assert 'class="empty"' in page(client, "/topics?shelf=closed&q=thief")
    assert client.get(f"/topics/{topic.public_id}/feed.atom").status_code == 404
    for browser, path in ((author, f"/topics/{topic.public_id}"), (desk, f"/staff/topics/{topic.public_id}")):
        assert "thief" in page(browser, path)
    post(desk, f"/staff/topics/{topic.public_id}/show")
    assert "thief" in page(client, f"/topics/{topic.public_id}")


def test_the_promise_counts_what_was_chosen_good_or_bad(app, client):
    owner = make_staff("iryna@example.org", "editor", "Iryna Bondar")
    with time_machine.travel("2027-01-10T12:00:00Z", tick=False):
        topics = [make_topic_at("chosen", f"Chosen matter {n} of four") for n in range(4)]
        for topic in topics[:3]:
            services.assign(topic.id, owner.id, date(2027, 2, 1), owner.id)
        services.drop(topics[3].id, "The court has sealed the papers.", owner.id)
    for topic, day in ((topics[0], "2027-01-20"), (topics[1], "2027-01-30")):
        with time_machine.travel(f"{day}T12:00:00Z", tick=False):
            services.publish(topic.id, *STORY, actor=owner.id)
    with time_machine.travel("2027-02-01T12:00:00Z", tick=False):
        assert "Nothing is overdue" in page(client, "/promise")
    # Two hours before midnight in Greenwich the next day has begun in Kyiv, where the newsroom is.
    with time_machine.travel("2027-02-01T22:00:00Z", tick=False):
        promise = queries.promise(clock.now(), date(2027, 2, 2))
        source = page(client, "/promise")
    assert (promise.n_chosen, promise.n_published, promise.n_dropped) == (4, 2, 1)
    assert (promise.share_ratio, promise.median_days) == (0.5, 15)
    assert [topic.id for topic in promise.overdue] == [topics[2].id]
    assert "50%" in source
    assert "15 days" in source
    assert "Nothing is overdue" not in source


def test_the_badge_is_small_sets_no_cookie_and_is_only_for_what_was_chosen(app, client):
    owner = make_staff("iryna@example.org", "editor", "Iryna Bondar")
    chosen, waiting = make_topic_at("published", owner=owner), make_topic_at("shortlisted", "Night buses to town")
    piece = client.get(f"/topics/{chosen.public_id}/badge")
    assert "Members chose this" in piece.get_data(as_text=True)
    assert len(piece.data) < 1000
    assert "Set-Cookie" not in piece.headers
    values = client.get(f"/topics/{chosen.public_id}/badge.json").get_json()
    assert values["story_url"] == STORY[0]
    assert values["topic_url"] == f"http://localhost/topics/{chosen.public_id}"
    for part in ("badge", "badge.json"):
        assert client.get(f"/topics/{waiting.public_id}/{part}").status_code == 404


# Feeds --------------------------------------------------------------------------------------------------


def test_feeds_are_valid_atom_and_say_nothing_of_votes(app, client):
    owner = make_staff("iryna@example.org", "editor", "Iryna Bondar")
    topic = make_topic_at("published", EVIL, owner=owner)
    make_topic_at("shortlisted", "Чому дорожчає вода?")
    for path, n_topics in (("/topics/feed.atom", 2), (f"/topics/{topic.public_id}/feed.atom", 1)):
        answer = client.get(path)
        assert answer.mimetype == "application/atom+xml"
        feed = ET.fromstring(answer.data)  # noqa: S314 - our own
        assert feed.tag == f"{ATOM}feed"
        assert feed.findtext(f"{ATOM}id") == f"http://localhost{path}"
        assert feed.find(f"{ATOM}author/{ATOM}name").text
        entries = feed.findall(f"{ATOM}entry")
        ids = [entry.findtext(f"{ATOM}id") for entry in entries]
        assert len(ids) == len(set(ids))
        assert len({one.partition("#")[0] for one in ids}) == n_topics
        moments = [entry.findtext(f"{ATOM}updated") for entry in entries]
        assert moments == sorted(moments, reverse=True)
        assert feed.findtext(f"{ATOM}updated") == moments[0]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", moment) for moment in moments)
        assert all(entry.findtext(f"{ATOM}content") for entry in entries)
        assert "poll_id" not in answer.get_data(as_text=True)
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


# The desk -----------------------------------------------------------------------------------------------


def staff_routes(app):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("topic_desk.")]
    return [(rule, method) for rule in rules for method in sorted(rule.methods & {"GET", "POST"})]


@pytest.mark.parametrize("role", [None, *Role])
def test_every_role_on_every_route_of_the_desk(app, role):
    topic = make_topic()
    browser = app.test_client()
    if role is None:
        make_person()
        sign_in(browser)
    else:
        browser = browser_of(app, role.value)
    looks = {"/staff/topics", "/staff/topics/<public_id>"}
    routes = staff_routes(app)
    assert len(routes) > 15
    for rule, method in routes:
        path = rule.rule.replace("<public_id>", topic.public_id)
        answer = browser.open(
            path, method=method, data={"csrf_token": any_token(browser)} if method == "POST" else None
        )
        is_open = role in {Role.OWNER, Role.EDITOR} or (role is not None and rule.rule in looks and method == "GET")
        assert (answer.status_code != 403) == is_open, (rule.rule, method)
    db.session.expire_all()
    assert (topic.stage == "proposed") == (role not in {Role.OWNER, Role.EDITOR})


@pytest.mark.parametrize("role", [Role.FINANCE, Role.VIEWER])
def test_who_may_only_look_sees_no_button_and_no_address(app, role):
    topic = make_topic(proposer=make_person("author@example.org"))
    browser = browser_of(app, role.value)
    source = page(browser, f"/staff/topics/{topic.public_id}") + page(browser, "/staff/topics")
    assert "author@example.org" not in source
    assert re.findall(r'action="/staff/topics/[^"]*"', source) == []


def test_no_action_of_the_desk_without_a_form_token(app, desk):
    topic = make_topic()
    for rule, method in staff_routes(app):
        if method == "POST":
            assert desk.post(rule.rule.replace("<public_id>", topic.public_id)).status_code == 400, rule.rule
    for path in (f"/topics/{topic.public_id}/follow", "/topics/propose"):
        assert desk.post(path).status_code == 400


def test_a_morning_on_the_desk(app, desk):
    owner = make_staff("iryna@example.org", "editor", "Iryna Bondar")
    topic, twin = make_topic(), make_topic("Dredging contracts: where do they go?")
    at = f"/staff/topics/{topic.public_id}"
    assert twin.title in page(desk, at), "near-duplicates are shown for merging"
    steps = [
        (f"{at}/edit", {"title": TITLE, "why": WHY, "hours": "12"}, "proposed"),
        (f"{at}/shortlist", {}, "shortlisted"),
        (f"/staff/topics/{twin.public_id}/merge", {"into": f"http://localhost/topics/{topic.public_id}"}, "merged"),
        (f"/staff/topics/{twin.public_id}/unmerge", {}, "proposed"),
        (f"/staff/topics/{twin.public_id}/decline", {"reason": "It asks what another one asks."}, "declined"),
        (f"/staff/topics/{twin.public_id}/back", {"reason": "It asks more than the other one."}, "shortlisted"),
    ]
    for path, typed, stage in steps:
        assert post(desk, path, **typed).status_code == 303, path
        db.session.expire_all()
        assert queries.get_by_public_id(path.split("/")[3]).stage == stage
        page(desk, path.rpartition("/")[0])
    services.put_on_ballot(topic.id, 1, clock.now())
    services.choose(topic.id, 1, clock.now())
    steps = [
        ("assign", {"owner": str(owner.id), "due_on": a_day(30)}, "reporting"),
        ("update", {"words": "We have the papers."}, "reporting"),
        ("publish", {"story_url": STORY[0], "story_title": STORY[1]}, "published"),
        ("take-back", {"reason": "It was the story of another topic."}, "reporting"),
        ("drop", {"reason": "The court has sealed the papers."}, "dropped"),
        ("back", {"reason": "The court has opened them."}, "shortlisted"),
    ]
    for action, typed, stage in steps:
        assert post(desk, f"{at}/{action}", **typed).status_code == 303, action
        db.session.expire_all()
        assert topic.stage == stage
        page(desk, at)
    assert topic.hours == 12


@pytest.mark.parametrize(
    ("stage", "action", "typed", "field"),
    [
        ("proposed", "decline", {"reason": " "}, "decline-reason"),
        ("proposed", "edit", {"title": "x", "why": "y", "hours": "0"}, "edit-title"),
        ("proposed", "merge", {"into": "top_nothing"}, "merge-into"),
        ("chosen", "assign", {"owner": "999", "due_on": a_day(30)}, "assign-owner"),
        ("chosen", "assign", {"due_on": a_day(-3)}, "assign-due_on"),
        ("chosen", "assign", {"due_on": "soon"}, "assign-due_on"),
        ("reporting", "update", {"words": ""}, "update-words"),
        ("reporting", "publish", {"story_url": "javascript:alert(1)", "story_title": "x"}, "publish-story_url"),
        ("reporting", "drop", {"reason": "x" * 2001}, "drop-reason"),
        ("published", "take-back", {"reason": ""}, "take_back-reason"),
    ],
)
def test_mistakes_on_the_desk_stand_beside_their_fields(app, desk, stage, action, typed, field):
    topic = make_topic_at(stage, owner=make_staff("iryna@example.org", "editor", "Iryna Bondar"))
    answer = post(desk, f"/staff/topics/{topic.public_id}/{action}", **typed)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.get_data(as_text=True)
    db.session.expire_all()
    assert topic.stage == stage


def test_what_has_moved_on_is_said_and_nothing_is_done(app, desk):
    topic = make_topic_at("on_ballot")
    for action in ("shortlist", "decline", "back", "drop"):
        answer = post(
            desk, f"/staff/topics/{topic.public_id}/{action}", **({} if action == "shortlist" else {"reason": "x"})
        )
        assert answer.status_code == 409, action
    assert topic.stage == "on_ballot"


def test_a_topic_of_the_newsroom_itself(app, client, desk):
    answer = post(desk, "/staff/topics/new", **fill_in())
    topic = queries.get_by_public_id(answer.location.rpartition("/")[2])
    assert (topic.proposer_id, topic.n_followers) == (None, 0)
    post(desk, f"{answer.location}/shortlist")
    assert "Proposed by the newsroom" in page(client, f"/topics/{topic.public_id}")
