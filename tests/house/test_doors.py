"""Inspections of every route there is: they find new ones by themselves."""

import re

import pytest

from membership.web.access import AUDIENCES, RATES
from membership.web.security import CSRF_EXEMPT, UNSAFE_METHODS
from tests.factories.people import any_token
from tests.house.conftest import path_of, rules_of


def views_of(house):
    return {rule.endpoint: house.view_functions[rule.endpoint] for rule in house.url_map.iter_rules()}


def unsafe(house, *audiences):
    return [
        (rule, method)
        for rule, method in rules_of(house, *UNSAFE_METHODS)
        if house.view_functions[rule.endpoint].audience in audiences
    ]


def test_every_route_says_for_whom_it_is_and_how_often_it_may_be_asked(house):
    undecided = [
        endpoint
        for endpoint, view in views_of(house).items()
        if getattr(view, "audience", None) not in AUDIENCES or getattr(view, "rate", None) not in RATES
    ]
    assert undecided == []


def test_what_takes_changes_from_machines_is_listed_and_nothing_else_is(house):
    assert {rule.rule for rule, _ in unsafe(house, "machine")} == set(CSRF_EXEMPT)


def test_reading_limits_stand_on_no_route_that_changes_something(house):
    weak = [rule.rule for rule, _ in unsafe(house, "public", "member", "staff") if _rate(house, rule) == "read"]
    assert weak == []


def _rate(house, rule):
    return house.view_functions[rule.endpoint].rate


def test_no_change_without_a_form_token(house, anybody, member):
    for rule, method in unsafe(house, "public", "member", "staff", "demo"):
        assert anybody().open(path_of(rule), method=method).status_code in {400, 403}, rule
        assert member.open(path_of(rule), method=method).status_code in {400, 403}, rule


def test_no_change_that_another_website_sends(house, member):
    data = {"csrf_token": any_token_of(house, member)}
    for rule, method in unsafe(house, "public", "member", "staff", "demo"):
        answer = member.open(path_of(rule), method=method, data=data, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403, rule


def any_token_of(house, browser) -> str:
    with house.app_context():
        return any_token(browser)


@pytest.mark.parametrize("stranger", ["role", "member_id", "eligible", "person_id", "charge_minor", "is_admin"])
def test_no_form_takes_a_field_that_it_does_not_have(house, member, anybody, stranger):
    visitor = anybody()
    for browser in (member, visitor):
        data = {"csrf_token": any_token_of(house, browser), stranger: "admin"}
        for rule, method in unsafe(house, "public", "member", "staff", "demo"):
            if rule.endpoint == "accounts.signout" and browser is member:
                data |= {"csrf_token": any_token_of(house, browser)}
            status = browser.open(path_of(rule), method=method, data=data).status_code
            # Who is signed in is sent on from the sign-in pages before their forms are looked at.
            expected = {400, 403, 404} | ({303} if browser is member and rule.rule.startswith("/signin") else set())
            assert status in expected, (rule, status)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path + "/",
        lambda path: "/" + path,
        lambda path: path.replace("/", "//", 1) + "//",
        lambda path: path.upper(),
        lambda path: path + ";x",
        lambda path: path + "%2f",
        lambda path: path + "%00",
        lambda path: path.replace("/", "/./", 1),
        lambda path: "/signin/.." + path,
        lambda path: re.sub(r"[a-z]", lambda found: f"%{ord(found[0]):02x}", path, count=1),
        lambda path: path,
    ],
    ids=["slash", "double", "doubles", "upper", "param", "encoded", "nul", "dot", "dotdot", "hex", "plain"],
)
def test_no_spelling_of_a_members_page_opens_it_to_others(house, anybody, change):
    members = [rule for rule in house.url_map.iter_rules() if views_of(house)[rule.endpoint].audience != "public"]
    for rule in members:
        if views_of(house)[rule.endpoint].audience in {"machine", "demo"}:
            continue
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            answer = anybody().open(change(path_of(rule)), method=method)
            assert answer.status_code in {303, 308, 400, 403, 404, 405}, (rule, method)
            assert answer.location is None or answer.location.startswith(("/", "http://localhost/")), rule
            assert not (answer.location or "").startswith("//"), rule


def test_outside_the_demo_its_rooms_are_not_there(open_house):
    house = open_house(demo=False)
    with house.app_context():
        browser = house.test_client()
        for rule, method in rules_of(house):
            if rule.rule.startswith("/demo") and method != "OPTIONS":
                assert browser.open(path_of(rule), method=method).status_code == 404, rule
