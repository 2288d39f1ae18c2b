"""Who works here: appointed and dismissed by an owner, signed in as members are, admitted by a table."""

import threading

import pytest
from sqlalchemy import select

from membership.accounts import queries, services
from membership.accounts.rules import ACTIONS, MAY, Role, may, path_of, place, place_at
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict, NotFound
from membership.web.access import audience
from tests.factories.people import make_person, make_staff, sign_in

THING = "polls/pol_" + "0" * 26


@pytest.mark.parametrize(("role", "n_actions"), [(None, 0), (Role.VIEWER, 5), (Role.FINANCE, 11), (Role.EDITOR, 9)])
def test_a_role_may_do_what_its_line_of_the_table_says(role, n_actions):
    assert sum(may(role, action) for action in ACTIONS) == n_actions


def test_an_owner_may_do_everything_that_anybody_may():
    assert MAY[Role.OWNER] == ACTIONS


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        ("money.see", set(Role)),
        ("people.see", set(Role)),
        ("money.act", {Role.OWNER, Role.FINANCE}),
        ("people.act", {Role.OWNER, Role.FINANCE}),
        ("people.erase", {Role.OWNER}),
        ("inbox.see", {Role.OWNER, Role.FINANCE}),
        ("inbox.replay", {Role.OWNER, Role.FINANCE}),
        ("inbox.trace", {Role.OWNER}),
        ("mails.act", {Role.OWNER, Role.FINANCE}),
        ("settings.see", set(Role)),
        ("settings.edit", {Role.OWNER}),
        ("polls.run", {Role.OWNER, Role.EDITOR}),
    ],
)
def test_everybody_at_the_desk_sees_people_and_money_and_few_may_touch_them(action, roles):
    assert {role for role in Role if may(role, action)} == roles


def test_an_action_that_nobody_has_heard_of_is_a_program_error():
    with pytest.raises(ValueError, match="fly"):
        may(Role.OWNER, "fly")


@pytest.mark.parametrize("path", ["/staff", "/staff/polls", "/staff/topics/12"])
def test_every_page_of_staff_leads_back_to_the_desk(path):
    assert place_at(path) == "staff"


def test_who_came_for_one_poll_comes_back_to_it():
    assert place_at("/" + THING) == THING
    assert path_of(THING) == "/" + THING


@pytest.mark.parametrize(
    "name", [THING + "/..", THING.upper(), "polls/../staff", "//evil.example", "polls/", THING + "\n"]
)
def test_nothing_else_is_a_place(name):
    assert place(name) == "account"


def test_a_change_of_role_is_a_change_of_the_same_row(app):
    make_staff("a@example.org", "owner")
    make_staff("b@example.org", "viewer")
    person = make_staff("b@example.org", "editor")
    assert person.role is Role.EDITOR
    assert len(queries.list_staff()) == 2


@pytest.mark.parametrize(
    "leave", [lambda: make_staff("a@example.org", "viewer"), lambda: services.dismiss("a@example.org", clock.now())]
)
def test_the_last_owner_cannot_leave(app, leave):
    make_staff("a@example.org", "owner")
    with pytest.raises(Conflict, match="only owner"):
        leave()
    assert queries.list_staff()[0][0].role == "owner"


def test_two_owners_who_leave_at_once_leave_one(app):
    addresses = ["a@example.org", "b@example.org"]
    for address in addresses:
        make_staff(address, "owner")
    refused = []

    def leave(address):
        with app.app_context():
            try:
                services.dismiss(address, clock.now())
            except Conflict as error:
                refused.append(error.code)

    threads = [threading.Thread(target=leave, args=(address,)) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["last_owner"]
    assert len(queries.list_staff()) == 1


def test_nobody_can_be_dismissed_who_is_not_on_the_staff(app):
    make_person()
    with pytest.raises(NotFound):
        services.dismiss("olena@example.org", clock.now())


@pytest.mark.parametrize(
    ("role", "action", "status"),
    [
        ("viewer", "desk.see", 200),
        ("finance", "polls.run", 403),
        ("editor", "polls.run", 200),
        ("owner", "topics.moderate", 200),
        (None, "desk.see", 403),
    ],
)
def test_a_page_of_staff_opens_to_those_whose_role_may_do_what_it_is_for(app, role, action, status):
    app.add_url_rule("/t/desk", "desk", audience("staff", may=action)(lambda: "in"))
    if role:
        make_staff("olena@example.org", role)
    else:
        make_person()
    browser = app.test_client()
    assert browser.get("/t/desk").location.endswith("/signin")
    sign_in(browser)
    assert browser.get("/t/desk").status_code == status


def test_who_is_dismissed_is_out_at_the_next_page(app):
    app.add_url_rule("/t/desk", "desk", audience("staff")(lambda: "in"))
    make_staff("a@example.org", "owner")
    make_staff("olena@example.org", "editor")
    browser = app.test_client()
    sign_in(browser)
    assert browser.get("/t/desk").status_code == 200
    services.dismiss("olena@example.org", clock.now())
    assert browser.get("/t/desk").status_code == 403


def test_every_change_of_a_role_is_written_down(app):
    make_staff("a@example.org", "owner")
    person = make_staff("b@example.org", "viewer")
    make_staff("b@example.org", "editor")
    services.dismiss("b@example.org", clock.now())
    written = [(entry.kind, entry.details, entry.actor) for entry in queries.timeline(person.id)]
    assert written == [("staff_role", {"role": role}, "staff") for role in (None, "editor", "viewer")]


def told(app):
    from membership.mail.models import OutboxMail

    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "accounts/staff_changed"))
    return sorted((row.to_address, row.args["before"], row.args["after"]) for row in rows)


def test_owners_and_whoever_it_is_about_hear_of_every_change_on_the_staff(app):
    for name in ("first", "second"):
        make_staff(f"{name}@example.org", "owner")
    editor = make_staff("editor@example.org", "editor")
    services.change_role(editor.id, Role.FINANCE, clock.now(), actor="staff:per_1")
    services.change_role(editor.id, Role.FINANCE, clock.now(), actor="staff:per_1")  # nothing changes
    services.dismiss("editor@example.org", clock.now())
    owners = ("first@example.org", "second@example.org")
    assert told(app) == sorted([
        ("first@example.org", "", "owner"),
        *((owner, "", "editor") for owner in owners),
        *((each, "editor", "finance") for each in (*owners, "editor@example.org")),
        *((each, "finance", "") for each in (*owners, "editor@example.org")),
    ])  # fmt: skip


def test_the_mail_leads_owners_to_the_team_and_nobody_else(app):
    from membership.mail.catalogue import find_entry

    owner, editor = make_staff("owner@example.org", "owner"), make_staff("editor@example.org", "editor")
    build = find_entry("accounts/staff_changed").build
    args = {"person_id": editor.id, "before": "viewer", "after": "editor"}
    with app.test_request_context():
        assert build(args | {"reader_id": owner.id}, clock.now())["team_url"].endswith("/staff/team")
        assert build(args | {"reader_id": editor.id}, clock.now())["team_url"] is None
