"""Role × route, from the map of addresses: whoever may do what a page of the desk is for gets in, and nobody else.

And nobody at all before the second factor was shown, outside the demo.
"""

from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from membership.accounts.rules import ACTIONS, MAY, Role
from membership.web.access import FACTORS
from membership.web.security import UNSAFE_METHODS
from tests.factories.people import any_token, make_person, make_staff, sign_in, sign_in_halfway
from tests.house.conftest import path_of, rules_of

# What a page may ask for that is open to everybody on the staff. Whatever changes something asks for more, but for …
READING = frozenset({"dashboard.see", "desk.see", "people.see", "money.see", "settings.see"})
# … one's own second factor, the preview of a ballot, where buttons move a ranking and nothing is kept, and an example
# of a mail that goes to whoever asks for it.
HARMLESS = {"catalogue.test", "poll_desk.preview_post"}


@pytest.fixture(scope="module")
def newsroom(open_house):
    """A house that is no demo."""
    return open_house(demo=False)


def staff_rules(app, *methods):
    return [
        (rule, method)
        for rule, method in rules_of(app, *methods)
        if app.view_functions[rule.endpoint].audience == "staff"
    ]


def view_of(app, rule):
    return app.view_functions[rule.endpoint]


@dataclass
class Desk:
    """A browser, and a form token that is good in it."""

    browser: FlaskClient
    token: str

    def ask(self, rule, method):
        data = {"csrf_token": self.token} if method in UNSAFE_METHODS else None
        return self.browser.open(path_of(rule), method=method, data=data)


@pytest.fixture(scope="module")
def desk_of(newsroom):
    """Signs somebody in: a role, or None for a member; `halfway` without the second factor."""

    def _open(role, *, halfway=False):
        with newsroom.app_context():
            address = f"{role or 'member'}@example.org"
            make_staff(address, role) if role else make_person(address)
            browser = newsroom.test_client()
            (sign_in_halfway if halfway else sign_in)(browser, address)
            return Desk(browser, any_token(browser))

    return _open


def test_every_page_under_the_desks_address_is_the_staffs(newsroom):
    others = [
        rule.rule
        for rule in newsroom.url_map.iter_rules()
        if (rule.rule == "/staff" or rule.rule.startswith("/staff/")) != (view_of(newsroom, rule).audience == "staff")
    ]
    assert others == []


def test_every_page_asks_for_an_action_of_the_table_and_for_the_factor_in_a_known_way(newsroom):
    for rule, _ in staff_rules(newsroom):
        assert view_of(newsroom, rule).may in ACTIONS, rule
        assert view_of(newsroom, rule).factor in FACTORS, rule


def test_whatever_changes_something_asks_for_more_than_reading_does(newsroom):
    for rule, _ in staff_rules(newsroom, *UNSAFE_METHODS):
        is_own_factor = rule.endpoint.startswith("factor.")
        assert view_of(newsroom, rule).may not in READING or is_own_factor or rule.endpoint in HARMLESS, rule


def test_who_reads_about_people_is_written_down(newsroom):
    """A page for whoever may see people is such a page; it says what is read there."""
    silent = [
        rule.rule
        for rule, _ in staff_rules(newsroom, "GET")
        if view_of(newsroom, rule).may == "people.see" and not view_of(newsroom, rule).reads
    ]
    assert silent == []


def test_a_form_that_may_be_interrupted_has_a_page_to_come_back_to(newsroom):
    """And takes no file, which no session could keep."""
    readable = {rule.rule for rule, _ in staff_rules(newsroom, "GET")}
    for rule, _ in staff_rules(newsroom, *UNSAFE_METHODS):
        if view_of(newsroom, rule).fresh:
            assert rule.rule in readable, rule
            assert not hasattr(view_of(newsroom, rule), "largest_body"), rule


def test_refunds_roles_and_whatever_hands_people_out_ask_for_a_fresh_proof(newsroom):
    fresh = {rule.endpoint for rule, _ in staff_rules(newsroom) if view_of(newsroom, rule).fresh}
    assert fresh >= {
        "people_desk.refund_post", "team.invite_post", "team.role_post", "team.remove_post", "team.reset_factor_post",
        "factor.make_codes", "factor.remove_app", "factor.remove_passkey", "factor.set_app", "factor.add_passkey",
        "leaving.erase",
    }  # fmt: skip
    exports = [rule for rule, _ in staff_rules(newsroom) if "export" in rule.rule or rule.rule.endswith(".csv")]
    assert [rule.rule for rule in exports if "people" in rule.rule and rule.endpoint not in fresh] == []


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role.value if role else "member")
def test_a_role_opens_what_its_line_of_the_table_says_and_nothing_else(newsroom, desk_of, role):
    desk = desk_of(role.value if role else None)
    asked = set()
    for rule, method in staff_rules(newsroom, "GET", "HEAD", "POST"):
        if rule.endpoint == "factor.show_app_code":
            continue  # it counts wrong tries; tests/accounts/test_desk_door.py has it
        answer = desk.ask(rule, method)
        may_enter = role is not None and view_of(newsroom, rule).may in MAY[role]
        assert (answer.status_code != 403) is may_enter, (rule, method, answer.status_code)
        assert not (answer.location or "").startswith(("/staff/factor/mine", "/signin")), (rule, method)
        asked.add(rule.endpoint)
    assert len(asked) > 60


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
@pytest.mark.parametrize("has_factor", [True, False], ids=["with a factor", "without one"])
def test_a_session_that_is_half_signed_in_reaches_nothing(newsroom, open_house, role, has_factor):
    house = open_house(demo=False)
    address = f"{role.value}@example.org"
    with house.app_context():
        make_staff(address, role.value)
        if has_factor:
            sign_in(house.test_client(), address)
        browser = house.test_client()
        sign_in_halfway(browser, address)
        desk = Desk(browser, any_token(browser))
    for rule, method in staff_rules(house, "GET", "HEAD", "POST"):
        view, answer = view_of(house, rule), desk.ask(rule, method)
        if view.may not in MAY[role]:
            assert answer.status_code == 403, (rule, method)
        elif view.factor == "asked" or (view.factor == "first" and not has_factor):
            assert rule.rule.startswith("/staff/factor"), rule
        else:
            way = "/staff/factor" if has_factor else "/staff/factor/mine"
            assert (answer.status_code, answer.location) == (303, way), (rule, method)
            assert OPEN_WORDS not in answer.get_data(as_text=True), (rule, method)


# The frame of every page of the desk has it, once the desk is open.
OPEN_WORDS = 'href="/staff/topics"'
