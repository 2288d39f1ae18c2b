"""Something for many people at once: looked over first, done once for everybody, killed without loss, taken back."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from membership.accounts import services as accounts
from membership.audit.models import AuditEntry
from membership.audit.services import forget_reasons
from membership.db import db, transaction
from membership.front import jobs
from membership.front.models import Run, RunItem, Tag
from membership.front.queries.kept import tags_of_person
from membership.front.queries.runs import get_run
from membership.front.rules.filters import Filter, Standing
from membership.front.rules.runs import LeftOut, What
from membership.front.services import deeds, runs, tagging
from membership.front.services.runs import Chosen, Plan
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail.models import OutboxMail
from membership.patrons.queries import comps_of, standing_of
from membership.patrons.rules import Why
from tests.factories.listed import cover, make_people
from tests.factories.people import any_token, make_person, make_staff, sign_in

ACTOR = "staff:per_test"
COMP = Plan(What.COMP, n_months=3)


def settle(plan=COMP, chosen=None, **fields):
    return runs.draft(plan, chosen or Chosen(Filter(**fields)), actor=ACTOR, at=clock.now())


def begin(run, reason="Our evening"):
    runs.start(run.public_id, reason, actor=ACTOR, at=clock.now())
    return run


def work_off(run) -> Run:
    while runs.step(run.id, clock.now()):
        pass
    return get_run(run.public_id).run


def mails(kind) -> list[OutboxMail]:
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == kind)))


def test_a_draft_settles_who_gets_it_and_does_nothing(app):
    lapsed, patron, gone, later = make_people(4)
    cover(lapsed.id, 90, 60)
    cover(patron.id, 5, -400)
    with transaction("test.gone"):
        gone.disabled_at = clock.now()
    view = get_run(settle().public_id)
    assert (view.run.state, view.n_meant, [p.email for p in view.people]) == (
        "draft", 2, [lapsed.email, later.email],
    )  # fmt: skip
    assert view.left_out == {LeftOut.GONE: 1, LeftOut.COVERED: 1}
    make_person("newcomer@example.org")
    assert work_off(view.run).state == "draft", "the worker leaves drafts alone"
    assert comps_of(lapsed.id) == []
    work_off(begin(view.run))
    assert {person.email for person in get_run(view.run.public_id).people} == {lapsed.email, later.email}
    assert len(mails("patrons/comp")) == 2, "who came after the draft is not in it"


def test_free_months_are_given_to_everybody_once_and_mailed_behind_other_mails(app):
    people = make_people(60)
    run = begin(settle())
    runs.start(run.public_id, "again", actor=ACTOR, at=clock.now())
    done = work_off(run)
    assert (done.state, done.reason, get_run(run.public_id).n_done) == ("done", "Our evening", 60)
    for person in people:
        assert standing_of(person.id, clock.now() + timedelta(seconds=2)).why is Why.COMP
        assert [comp.ends_at for comp in comps_of(person.id)] == [run.until]
    sent = mails("patrons/comp")
    assert (len(sent), {mail.is_bulk for mail in sent}) == (60, {True})


class Killed(BaseException):
    pass


def test_a_worker_that_dies_loses_nothing_and_does_nothing_twice(app, monkeypatch):
    make_people(60)
    run, honest, n = begin(settle()), deeds.do, 0

    def die_now_and_then(*arguments):
        nonlocal n
        n += 1
        if n in {7, 40, 41}:
            raise Killed
        honest(*arguments)

    monkeypatch.setattr(deeds, "do", die_now_and_then)
    for _ in range(20):
        try:
            if not runs.step(run.id, clock.now()):
                break
        except Killed:
            db.session.rollback()
    assert get_run(run.public_id).n_done == 60
    assert len(mails("patrons/comp")) == 60
    assert db.session.query(RunItem).filter_by(state="done").count() == 60


def test_one_that_fails_does_not_stop_the_others(app, monkeypatch):
    make_people(2)
    bad, good = begin(settle()), begin(settle(Plan(What.TAG, tag="Jury")))
    honest = runs.step

    def fail_for_one(run_id, now):
        if run_id == bad.id:
            raise RuntimeError
        return honest(run_id, now)

    monkeypatch.setattr(runs, "step", fail_for_one)
    jobs.work_off(clock.now())
    assert [get_run(run.public_id).run.state for run in (bad, good)] == ["running", "done"]


def test_free_months_are_taken_back_from_whoever_still_has_them(app):
    one, two = make_people(2)
    run = begin(settle())
    work_off(run)
    from membership.patrons import services as patrons

    patrons.revoke_comp(one.id, comps_of(one.id)[0].cause_ref, reason="One by one", actor=ACTOR, at=clock.now())
    runs.undo(run.public_id, actor=ACTOR, at=clock.now())
    runs.undo(run.public_id, actor=ACTOR, at=clock.now())
    assert work_off(run).state == "undone"
    assert not standing_of(two.id, clock.now() + timedelta(seconds=2)).is_patron
    assert len(mails("patrons/comp_revoked")) == 2
    assert get_run(run.public_id).n_done == 2


def test_tags_go_only_to_who_has_them_not_and_are_taken_only_from_whom_they_were_given(app):
    had, new = make_people(2)
    tagging.tag_by_name(had, "Jury", actor="staff:st_1", at=clock.now())
    run = begin(settle(Plan(What.TAG, tag="jury")), reason="")
    assert get_run(run.public_id).left_out == {LeftOut.HAS: 1}
    work_off(run)
    runs.undo(run.public_id, actor=ACTOR, at=clock.now())
    work_off(run)
    assert [tag.name for tag in tags_of_person(had.id)] == ["Jury"]
    assert tags_of_person(new.id) == []
    off = begin(settle(Plan(What.UNTAG, tag="Jury")), reason="")
    work_off(off)
    assert tags_of_person(had.id) == []
    runs.undo(off.public_id, actor=ACTOR, at=clock.now())
    work_off(off)
    assert [tag.name for tag in tags_of_person(had.id)] == ["Jury"]


def test_what_staff_typed_about_an_erased_person_alone_goes_with_them(app):
    olena, petro = make_people(2)
    own = begin(settle(chosen=Chosen(Filter(), [olena.public_id])), reason="Olena lost her job")
    of_both = begin(settle(chosen=Chosen(Filter(), [olena.public_id, petro.public_id])), reason="Our evening")
    for each in (own, of_both):
        work_off(each)
    for person, name in ((olena, "Olena's lawyer"), (olena, "Jury"), (petro, "Jury")):
        tagging.tag_by_name(person, name, actor=ACTOR, at=clock.now())
    waiting = settle(Plan(What.TAG, tag="Next"), Chosen(Filter(), [petro.public_id]))
    with transaction("test"):
        tagging.erase(olena.id, clock.now())
        forget_reasons([olena.public_id])
    db.session.expire_all()
    assert [get_run(each.public_id).run.reason for each in (own, of_both)] == [None, "Our evening"]
    started = select(AuditEntry.reason).where(AuditEntry.action == "run.started").order_by(AuditEntry.number)
    assert db.session.scalars(started).all() == [None, "Our evening"]
    names = set(db.session.scalars(select(Tag.name)))
    assert "Jury" in names
    assert "Next" in names
    assert len(names) == 3
    assert "Olena's lawyer" not in names
    assert waiting.tag_id is not None
    assert tagging.ensure_tag("Olena's lawyer", clock.now()).name == "Olena's lawyer"


def test_a_mail_cannot_be_taken_back_and_what_waits_can_be_stopped(app):
    people = make_people(30)
    run = begin(settle(Plan(What.WAY_IN)))
    runs.step(run.id, clock.now())
    with pytest.raises(Conflict):
        runs.undo(run.public_id, actor=ACTOR, at=clock.now())
    runs.stop(run.public_id, actor="staff:st_1")
    work_off(run)
    view = get_run(run.public_id)
    assert (view.run.state, view.n_done, view.left_out) == ("done", 25, {LeftOut.STOPPED: 5})
    assert len(mails("accounts/way_in")) == 25 < len(people)


def test_ticked_people_are_meant_and_nobody_else(app):
    one, _two, three = make_people(3)
    run = settle(chosen=Chosen(Filter(standing=Standing.PATRON), (one.public_id, three.public_id, "per_unknown")))
    assert {person.id for person in get_run(run.public_id).people} == {one.id, three.id}


@pytest.mark.parametrize(
    ("plan", "chosen", "code"),
    [
        (COMP, Chosen(Filter(), ()), "nobody_chosen"),
        (COMP, Chosen(Filter(q="zzz")), "nobody_chosen"),
        (Plan(What.COMP, n_months=0), Chosen(Filter()), "months_odd"),
        (Plan(What.TAG, tag="a@b.org"), Chosen(Filter()), "name_is_address"),
    ],
)
def test_what_cannot_be_leaves_nothing_behind(app, plan, chosen, code):
    make_people(2)
    with pytest.raises(InvalidInput) as error:
        settle(plan, chosen)
    assert error.value.code == code
    assert db.session.query(Run).count() == db.session.query(RunItem).count() == 0


def test_two_who_turn_out_to_be_one_get_it_once(app):
    one, two = make_people(2)
    run = begin(settle())
    accounts.merge(two.id, one.id, "One reader.", "system", clock.now())
    work_off(run)
    assert len(comps_of(one.id)) == 1
    assert comps_of(two.id) == []
    assert get_run(run.public_id).n_done == 1


def test_drafts_are_forgotten_after_a_day(app):
    make_people(2)
    settle()
    begun = begin(settle())
    jobs.forget(clock.now() + timedelta(hours=23))
    assert db.session.query(Run).count() == 2
    jobs.forget(clock.now() + timedelta(hours=25))
    assert [run.state for run in db.session.scalars(select(Run))] == ["running"]
    assert begun.state == "running"


# The pages ----------------------------------------------------------------------------------------------


def at_the_desk(app, role):
    browser = app.test_client()
    make_staff(f"{role}@example.org", role)
    sign_in(browser, f"{role}@example.org")
    return browser


def send(desk, path, **fields):
    return desk.post(path, data={"csrf_token": any_token(desk)} | fields)


def test_from_the_list_to_the_end_without_scripts(app):
    people = make_people(3)
    desk = at_the_desk(app, "finance")
    assert 'name="who"' in desk.get("/staff/people").get_data(as_text=True)
    who = [people[0].public_id, people[2].public_id]
    answer = send(desk, "/staff/people/many", filter="", scope="ticked", who=who, what="comp", months="2", tag="")
    page = desk.get(answer.location).get_data(as_text=True)
    assert "2 free months" in page
    assert "Nothing has happened yet" in page
    assert people[0].email in page
    assert people[1].email not in page
    assert "Do it for 2 people" in page
    assert send(desk, f"{answer.location}/start", reason=" ").status_code == 422
    assert send(desk, f"{answer.location}/start", reason="Our evening").status_code == 303
    assert re.search("0 of 2 done", desk.get(answer.location).get_data(as_text=True))
    jobs.work_off(clock.now())
    page = desk.get(answer.location).get_data(as_text=True)
    assert "Done for 2 people" in page
    assert "Our evening" in desk.get("/staff/people/runs").get_data(as_text=True)
    assert "Our evening" in desk.get(f"/staff/people/{people[0].public_id}").get_data(as_text=True)
    send(desk, f"{answer.location}/undo")
    jobs.work_off(clock.now())
    assert "Taken back for 2 people" in desk.get(answer.location).get_data(as_text=True)


@pytest.mark.parametrize("fields", [{"what": "fly"}, {"what": "comp", "months": "x"}, {"what": "tag", "tag": ""}])
def test_what_is_typed_wrongly_is_said_on_the_list(app, fields):
    make_people(1)
    desk = at_the_desk(app, "finance")
    answer = send(desk, "/staff/people/many", filter="standing=never", scope="all", **fields)
    assert (answer.status_code, answer.location) == (303, "/staff/people?standing=never")
    assert "notice--warn" in desk.get(answer.location).get_data(as_text=True)
    assert db.session.query(Run).count() == 0


def test_who_may_not_act_on_people_begins_nothing(app):
    make_people(1)
    run = settle()
    viewer = at_the_desk(app, "viewer")
    for path in (
        "/staff/people/many",
        *(f"/staff/people/runs/{run.public_id}/{do}" for do in ("start", "stop", "undo")),
    ):
        assert send(viewer, path).status_code == 403
    page = viewer.get(f"/staff/people/runs/{run.public_id}").get_data(as_text=True)
    assert "Do it for" not in page
