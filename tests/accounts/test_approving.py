"""What one owner alone may not do: another owner agrees first, once, in time; alone it is done at once and said so."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from membership.accounts import jobs, queries, services
from membership.accounts.models import Approval
from membership.accounts.queries.factors import factors_of
from membership.accounts.rules import APPROVAL_LIFE, Act, Role, is_for_two
from membership.accounts.services import approving, factors
from membership.accounts.services.approving import Wish
from membership.audit.models import AuditEntry
from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict, NotFound, Refused
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from tests.conftest import make_settings
from tests.factories.people import any_token, make_owner, make_staff, sign_in

WHY = "Phone lost; we spoke"


@pytest.fixture
def olena(app):
    return make_owner("olena@example.org", "Olena")


@pytest.fixture
def petro(app, olena):
    return make_owner("petro@example.org", "Petro")


@pytest.fixture
def iryna(app, olena):
    """An editor with a second factor."""
    person = make_staff("iryna@example.org", "editor", "Iryna")
    factors.make_codes(person.id)
    return person


def has_codes(person) -> bool:
    db.session.rollback()
    return factors_of(person.id).n_codes > 0


def ask(about, by, act=Act.RESET, role=None) -> str:
    assert approving.do_or_ask(Wish(act, about.id, by, WHY, role))
    return queries.list_waiting()[-1].row.id


def log_of(person) -> list[tuple]:
    """What stands in the audit log about somebody since they came: action, actor, what came after."""
    db.session.rollback()
    rows = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.about == person.public_id, AuditEntry.actor != "command")
        .order_by(AuditEntry.number)
    )
    return [(row.action, row.actor, row.after) for row in rows if row.action != "factor.codes_made"]


def told(outcome) -> list[str]:
    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "accounts/approval"))
    return sorted(row.to_address for row in rows if row.args["outcome"] == outcome)


def post(browser, path, **fields):
    return browser.post(path, data={"csrf_token": any_token(browser)} | fields)


# What is for two ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "before", "after", "expected"),
    [
        (Act.RESET, Role.VIEWER, None, True),
        (Act.RESET, Role.OWNER, None, True),
        (Act.ROLE, Role.EDITOR, Role.OWNER, True),
        (Act.ROLE, Role.OWNER, Role.EDITOR, True),
        (Act.ROLE, Role.OWNER, Role.OWNER, False),
        (Act.ROLE, Role.EDITOR, Role.FINANCE, False),
        (Act.REMOVE, Role.OWNER, None, True),
        (Act.REMOVE, Role.FINANCE, None, False),
    ],
)
def test_what_opens_an_account_or_makes_or_unmakes_an_owner_is_for_two(act, before, after, expected):
    assert is_for_two(act, before, after) is expected


def test_the_only_owner_is_asked_nothing_and_the_log_says_that_nobody_agreed(olena, iryna):
    assert approving.do_or_ask(Wish(Act.RESET, iryna.id, olena, WHY)) is False
    assert not has_codes(iryna)
    assert log_of(iryna) == [("factor.reset", f"staff:{olena.public_id}", {"second_owner": False})]
    assert told("asked") == []


def test_a_second_owner_who_lost_their_factor_is_helped_by_the_other_one(olena, petro):
    factors.make_codes(petro.id)
    assert approving.do_or_ask(Wish(Act.RESET, petro.id, olena, WHY)) is False
    assert not has_codes(petro)


def test_an_owner_who_never_came_is_nobodys_second(olena, iryna):
    """As one who was invited at a mistyped address: they are taken off again by whoever invited them."""
    stranger = make_staff("mistyped@example.org", "owner")
    assert approving.do_or_ask(Wish(Act.RESET, iryna.id, olena, WHY)) is False
    assert approving.do_or_ask(Wish(Act.REMOVE, stranger.id, olena, WHY)) is False


def test_an_owner_whose_factor_was_just_taken_still_counts(olena, petro):
    """Else a thief would reset the other owner first, and take them off then."""
    factors.make_codes(petro.id)
    approving.do_or_ask(Wish(Act.RESET, petro.id, olena, WHY))
    assert approving.do_or_ask(Wish(Act.REMOVE, petro.id, olena, WHY)) is True


def test_two_owners_do_not_unmake_each_other_alone(olena, petro):
    """Whoever steals the desk of one has not got rid of the other."""
    assert approving.do_or_ask(Wish(Act.REMOVE, petro.id, olena, WHY)) is True
    assert queries.get_staff(petro.public_id).member.role == "owner"
    approving.approve(queries.list_waiting()[0].row.id, petro)
    with pytest.raises(NotFound):
        queries.get_staff(petro.public_id)


def test_an_owner_steps_down_without_asking(olena, petro):
    assert approving.do_or_ask(Wish(Act.ROLE, olena.id, olena, WHY, Role.VIEWER)) is False
    assert queries.get_staff(olena.public_id).member.role == "viewer"


def test_other_roles_are_given_by_one_owner(olena, petro, iryna):
    assert approving.do_or_ask(Wish(Act.ROLE, iryna.id, olena, WHY, Role.FINANCE)) is False
    assert log_of(iryna) == [("staff.role", f"staff:{olena.public_id}", {"role": "finance"})]


def test_it_can_be_switched_off(app, olena, petro, iryna):
    app.extensions["membership.settings"] = make_settings(second_owner_approves=False)
    assert approving.do_or_ask(Wish(Act.RESET, iryna.id, olena, WHY)) is False
    assert log_of(iryna)[0][2] == {"second_owner": False}


def test_nobody_is_invited_as_an_owner_by_one_of_two(olena, petro):
    with pytest.raises(Conflict, match="second owner"):
        approving.invite_as(Role.OWNER, olena, "new@example.org", "New", "en")
    assert queries.find_person_by_email("new@example.org") is None
    assert approving.invite_as(Role.EDITOR, olena, "new@example.org", "New", "en").role is Role.EDITOR


def test_the_only_owner_invites_a_second_one(olena):
    assert approving.invite_as(Role.OWNER, olena, "new@example.org", "New", "en").role is Role.OWNER


# What becomes of it -------------------------------------------------------------------------------------


def test_it_waits_and_is_done_when_a_second_owner_agrees(olena, petro, iryna):
    number = ask(iryna, olena)
    assert has_codes(iryna)
    assert told("asked") == ["iryna@example.org", "olena@example.org", "petro@example.org"]
    approving.approve(number, petro)
    assert not has_codes(iryna)
    me, second = f"staff:{olena.public_id}", f"staff:{petro.public_id}"
    wish = {"act": "reset", "asked_by": olena.public_id}
    assert log_of(iryna) == [
        ("approval.asked", me, wish),
        ("approval.approved", second, wish),
        ("factor.reset", me, {"approved_by": second}),
    ]
    assert told("approved") == ["olena@example.org", "petro@example.org"]
    deed = select(OutboxMail.to_address).where(OutboxMail.kind.in_(["accounts/factor", "accounts/factor_reset"]))
    assert set(db.session.scalars(deed)) == {"iryna@example.org", "olena@example.org"}


def test_a_new_owner_is_made_by_two(olena, petro, iryna):
    approving.approve(ask(iryna, olena, Act.ROLE, Role.OWNER), petro)
    assert queries.get_staff(iryna.public_id).member.role == "owner"
    assert log_of(iryna)[-1][2] == {"role": "owner", "approved_by": f"staff:{petro.public_id}"}


@pytest.mark.parametrize("settle", [approving.approve, approving.refuse])
def test_it_is_settled_once(olena, petro, iryna, settle):
    number = ask(iryna, olena)
    settle(number, petro)
    for again in (approving.approve, approving.refuse):
        with pytest.raises(NotFound):
            again(number, petro)
    with pytest.raises(NotFound):
        approving.withdraw(number, olena)


def test_whoever_asked_does_not_agree_and_only_they_withdraw(olena, petro, iryna):
    number = ask(iryna, olena)
    for settle in (approving.approve, approving.refuse):
        with pytest.raises(Refused):
            settle(number, olena)
    with pytest.raises(NotFound):
        approving.withdraw(number, petro)
    approving.withdraw(number, olena)
    assert has_codes(iryna)
    assert told("withdrawn") == ["iryna@example.org", "olena@example.org", "petro@example.org"]


def test_nobody_agrees_to_the_reset_of_their_own_factor_but_may_refuse_it(olena, petro):
    make_owner("third@example.org")
    factors.make_codes(petro.id)
    number = ask(petro, olena)
    with pytest.raises(Refused):
        approving.approve(number, petro)
    approving.refuse(number, petro)
    assert has_codes(petro)


def test_whoever_is_an_owner_no_longer_agrees_to_nothing(olena, petro, iryna):
    make_owner("third@example.org")
    number = ask(iryna, olena)
    make_staff("petro@example.org", "editor")
    with pytest.raises(Refused):
        approving.approve(number, petro)


def test_one_thing_waits_for_each_person(olena, petro, iryna):
    ask(iryna, olena)
    with pytest.raises(Conflict, match="waits"):
        approving.do_or_ask(Wish(Act.ROLE, iryna.id, petro, WHY, Role.OWNER))


def test_after_three_days_nobody_can_agree_and_all_are_told(olena, petro, iryna):
    with time_machine.travel(clock.real_now(), tick=False) as now:
        number = ask(iryna, olena)
        now.shift(APPROVAL_LIFE - timedelta(seconds=1))
        jobs.lapse_approvals(clock.now())
        assert len(queries.list_waiting()) == 1
        now.shift(timedelta(seconds=1))
        assert queries.list_waiting() == []
        with pytest.raises(NotFound):
            approving.approve(number, petro)
        jobs.lapse_approvals(clock.now())
        jobs.lapse_approvals(clock.now())
    assert db.session.scalar(select(Approval.id)) is None
    assert len(told("lapsed")) == 3
    assert has_codes(iryna)


def test_what_is_over_does_not_stand_in_the_way_of_asking_again(olena, petro, iryna):
    with time_machine.travel(clock.real_now(), tick=False) as now:
        first = ask(iryna, olena)
        now.shift(APPROVAL_LIFE)
        assert ask(iryna, petro) != first


@pytest.mark.parametrize("leave", ["olena@example.org", "iryna@example.org"])
def test_it_falls_with_whoever_asked_and_with_whom_it_is_about(olena, petro, iryna, leave):
    make_owner("third@example.org")
    ask(iryna, olena)
    services.dismiss(leave, clock.now())
    assert db.session.scalar(select(Approval.id)) is None
    assert has_codes(iryna) is (leave == "olena@example.org")


def test_it_falls_when_whom_it_is_about_gets_another_role(olena, petro, iryna):
    ask(iryna, olena, Act.ROLE, Role.OWNER)
    services.change_role(iryna.id, Role.VIEWER, clock.now(), actor=f"staff:{petro.public_id}")
    assert db.session.scalar(select(Approval.id)) is None


# At once ------------------------------------------------------------------------------------------------


def at_once(app, *acts):
    """Every act in a thread of its own; the codes of those that were refused."""
    refused, start = [], threading.Barrier(len(acts))

    def run(act):
        with app.app_context():
            start.wait()
            try:
                act()
            except (Conflict, NotFound, Refused) as error:
                refused.append(error.code)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(refused)


def test_of_many_answers_at_once_one_counts(app, olena, petro, iryna):
    third = make_owner("third@example.org")
    number = ask(iryna, olena)
    answers = [(approving.approve, petro), (approving.refuse, third), (approving.withdraw, olena)] * 2
    calls = [lambda do=do, who=who.id: do(number, queries.get_person(who)) for do, who in answers]
    assert at_once(app, *calls) == ["no_approval"] * 5
    settled = [action for action, _, _ in log_of(iryna) if action not in {"approval.asked", "factor.reset"}]
    assert len(settled) == 1
    assert (settled == ["approval.approved"]) is not has_codes(iryna)


def test_of_two_who_ask_at_once_one_waits(app, olena, petro, iryna):
    def want(who):
        return lambda: approving.do_or_ask(Wish(Act.RESET, iryna.id, queries.get_person(who), WHY))

    ids = [olena.id, petro.id]
    assert at_once(app, *(want(each) for each in ids)) == ["approval_waits"]
    db.session.rollback()
    assert len(queries.list_waiting()) == 1


def test_a_second_owner_who_comes_at_that_moment_is_asked_or_comes_after_it(app, olena, iryna):
    about, me = iryna.id, olena.id
    make_owner("new@example.org")
    make_staff("new@example.org", "editor")
    at_once(
        app,
        lambda: make_staff("new@example.org", "owner"),
        lambda: approving.do_or_ask(Wish(Act.RESET, about, queries.get_person(me), WHY)),
    )
    db.session.rollback()
    assert has_codes(iryna) is (len(queries.list_waiting()) == 1)


# The pages and the mail ---------------------------------------------------------------------------------


@pytest.fixture
def desks(app, olena, petro):
    """The browsers of both owners."""
    browsers = [app.test_client(), app.test_client()]
    for browser, person in zip(browsers, (olena, petro), strict=True):
        sign_in(browser, person.email)
    return browsers


def test_one_owner_asks_and_the_other_one_agrees_on_their_page(desks, iryna):
    mine, theirs = desks
    here = f"/staff/team/{iryna.public_id}"
    assert "A second owner has to agree before it is done: Petro." in mine.get(f"{here}/reset-factor").text
    assert post(mine, f"{here}/reset-factor", reason=WHY).location == here
    assert "A second owner has to agree first" in mine.get(here).text
    path = f"/staff/team/approvals/{queries.list_waiting()[0].row.id}"
    assert path in mine.get("/staff/team").text
    assert "Take it back" in mine.get(path).text
    page = theirs.get(path).text
    assert WHY in page
    assert "Agree, and have it done" in page
    assert post(mine, path).status_code == 403
    assert post(theirs, path).location == "/staff/team"
    assert not has_codes(iryna)
    assert theirs.get(path).status_code == 404
    assert path not in mine.get("/staff/team").text


@pytest.mark.parametrize(("who", "word"), [(1, "refuse"), (0, "withdraw")])
def test_refusing_and_withdrawing_are_one_press(desks, olena, petro, iryna, who, word):
    path = f"/staff/team/approvals/{ask(iryna, olena)}"
    assert post(desks[who], f"{path}/{word}").location == "/staff/team"
    assert queries.list_waiting() == []
    assert has_codes(iryna)


def test_what_waits_already_is_said_above_the_form(desks, olena, iryna):
    ask(iryna, olena)
    answer = post(desks[1], f"/staff/team/{iryna.public_id}/reset-factor", reason=WHY)
    assert answer.status_code == 409
    assert "waits for a second owner already" in answer.text


def test_an_invitation_as_owner_is_explained_beside_the_role(desks):
    typed = {"email": "new@example.org", "name": "New", "role": "owner", "locale": "en"}
    answer = post(desks[0], "/staff/team/invite", **typed)
    assert answer.status_code == 409
    assert "A second owner has to agree to a new one." in answer.text


def test_the_mail_leads_owners_to_the_page_and_says_nothing_of_what_is_settled(olena, petro, iryna):
    number = ask(iryna, olena)
    build = find_entry("accounts/approval").build
    rows = list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "accounts/approval")))
    contexts = {row.to_address: build(row.args, clock.now()) for row in rows}
    assert contexts["petro@example.org"]["approval_url"].endswith(f"/staff/team/approvals/{number}")
    assert contexts["iryna@example.org"]["approval_url"] is None
    assert {address for address, context in contexts.items() if context["is_mine"]} == {"olena@example.org"}
    assert contexts["petro@example.org"]["about"] == "Iryna (iryna@example.org)"
    approving.refuse(number, petro)
    assert [build(row.args, clock.now()) for row in rows] == [None] * 3
