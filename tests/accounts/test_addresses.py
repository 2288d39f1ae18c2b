"""Another address: proved by a code, told to both, undone from the old one, and never taken from anybody else."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, select, update

from membership.accounts import emails, jobs, services
from membership.accounts.models import AddressChange, AddressProof, Person, Session
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.mail import services as mail
from membership.mail.models import OutboxMail
from tests.factories.people import any_token, make_person, make_staff, session_id, sign_in

OLD, NEW = "olena@example.org", "new@example.org"


def code_for(person, email=NEW, purpose="change") -> str:
    """Ask for a code and read it in the mail that leaves."""
    services.ask_proof(person.id, purpose, email, "en")
    return code_in_mail()


def code_in_mail() -> str:
    newest = db.session.scalar(select(AddressProof.id).order_by(AddressProof.id.desc()).limit(1))
    return emails.prove({"proof_id": newest}, clock.now())["code"].replace(" ", "")


def mails() -> list[tuple[str, str, str | None]]:
    rows = db.session.scalars(select(OutboxMail).order_by(OutboxMail.id)).all()
    return [(row.kind.partition("/")[2], row.to_address, row.args.get("what")) for row in rows]


def the_change() -> AddressChange:
    return db.session.scalars(select(AddressChange), execution_options={"populate_existing": True}).one()


def person_at(email) -> Person | None:
    db.session.rollback()
    return db.session.scalar(select(Person).where(Person.email == email))


def post(client, path, **fields):
    return client.post(path, data={"csrf_token": any_token(client)} | fields)


def test_the_session_that_stays_goes_on_under_a_new_id(app, client):
    make_person()
    sign_in(client)
    before = session_id(client)
    post(client, "/account/email", email=NEW)
    assert session_id(client) == before
    post(client, "/account/email/code", code=code_in_mail())
    assert session_id(client) not in {before, None}
    stolen = app.test_client()
    stolen.set_cookie("session", before)
    assert stolen.get("/account").status_code == 303
    page = client.get("/account")
    assert page.status_code == 200
    assert NEW in page.get_data(as_text=True)  # what was to be said is said


def test_whoever_types_the_code_has_the_new_address_and_both_are_told(app, client):
    person = make_person()
    sign_in(client)
    other = app.test_client()
    sign_in(other)
    assert post(client, "/account/email", email="New@Example.org").location == "/account/email/code"
    answer = post(client, "/account/email/code", code=code_in_mail())
    assert (answer.status_code, answer.location) == (303, "/account")
    assert person_at(NEW).id == person.id
    assert person_at(OLD) is None
    told = [(to, what) for kind, to, what in mails() if kind == "address_changed"]
    assert told == [(OLD, "old"), (NEW, "new")]
    # This browser goes on; every other one is signed out.
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert db.session.query(Session).count() == 1


def test_an_address_that_somebody_has_is_answered_like_one_that_nobody_has(app, client):
    make_person()
    make_person("taken@example.org")
    sign_in(client)
    pages = []
    for address in ("taken@example.org", "nobody@example.org"):
        answer = post(client, "/account/email", email=address)
        page = client.get("/account/email/code").get_data(as_text=True)
        pages.append(
            (answer.status_code, answer.location, re.sub(r'name="csrf_token"[^>]*>', "", page).replace(address, "#"))
        )
    assert pages[0] == pages[1]
    assert [to for kind, to, _ in mails() if kind == "prove"] == ["taken@example.org", "nobody@example.org"]


def test_five_wrong_codes_and_none_counts_any_more(app):
    person = make_person()
    code = code_for(person)
    wrong = "00000000" if code != "00000000" else "11111111"
    for n_left in (4, 3, 2, 1):
        with pytest.raises(InvalidInput) as error:
            services.change_address(person.id, wrong, None)
        assert error.value.details["n_left"] == n_left
    for typed in (wrong, code):
        with pytest.raises(Conflict):
            services.change_address(person.id, typed, None)
    assert person_at(OLD).id == person.id


def test_a_code_counts_once_for_ten_minutes_and_only_the_newest(app):
    person = make_person()
    first = code_for(person)
    second = code_for(person)
    if first != second:
        with pytest.raises(InvalidInput):
            services.change_address(person.id, first, None)
    with time_machine.travel(clock.real_now() + timedelta(minutes=11), tick=False), pytest.raises(Conflict):
        services.change_address(person.id, second, None)
    services.change_address(person.id, second, None)
    with pytest.raises(Conflict):
        services.change_address(person.id, second, None)


def test_a_code_of_somebody_else_or_for_something_else_changes_nothing(app):
    person, other = make_person(), make_person("other@example.org")
    code = code_for(person)
    with pytest.raises(Conflict):
        services.change_address(other.id, code, None)
    erasing = code_for(person, OLD, "erase")
    with pytest.raises(InvalidInput):
        services.change_address(person.id, erasing if erasing != code else "00000000", None)


def test_from_the_old_address_it_can_be_undone_for_seven_days_and_everybody_is_signed_out(app, client):
    person = make_person()
    sign_in(client)
    services.change_address(person.id, code_for(person), None)
    sign_in(client, NEW)
    link = services.undo_token(the_change())
    page = client.get(f"/account/email/undo/{link}")
    assert page.status_code == 200
    assert person_at(NEW) is not None  # looking changes nothing
    assert post(client, f"/account/email/undo/{link}").status_code == 200
    assert person_at(OLD).id == person.id
    assert client.get("/account").status_code == 303
    assert [(to, what) for kind, to, what in mails() if what == "restored"] in (
        [(OLD, "restored"), (NEW, "restored")], [(NEW, "restored"), (OLD, "restored")],
    )  # fmt: skip
    assert post(client, f"/account/email/undo/{link}").status_code == 404  # once


def test_a_thief_who_changes_it_twice_loses_it_all_the_same(app):
    person = make_person()
    services.change_address(person.id, code_for(person, "thief@example.org"), None)
    link = services.undo_token(the_change())
    services.change_address(person.id, code_for(person, "second@example.org"), None)
    second = db.session.scalars(select(AddressChange).order_by(AddressChange.id.desc())).first()
    thiefs_link = services.undo_token(second)
    services.undo_change(link)
    assert person_at(OLD).id == person.id
    with pytest.raises(NotFound):
        services.undo_change(thiefs_link)


def test_a_link_is_of_its_change_and_not_of_another_that_has_its_number_now(app):
    person, other = make_person(), make_person("other@example.org")
    services.change_address(person.id, code_for(person), None)
    link, number = services.undo_token(the_change()), the_change().id
    with transaction("test.gone"):
        db.session.execute(delete(AddressChange))
    services.change_address(other.id, code_for(other, "others.new@example.org"), None)
    with transaction("test.same_number"):
        db.session.execute(update(AddressChange).values(id=number))
    with pytest.raises(NotFound):
        services.undo_change(link)
    services.undo_change(services.undo_token(the_change()))
    assert person_at("other@example.org").id == other.id


def test_after_seven_days_it_stays_and_the_old_address_is_forgotten(app):
    person = make_person()
    services.change_address(person.id, code_for(person), None)
    link = services.undo_token(the_change())
    with time_machine.travel(clock.real_now() + timedelta(days=7, minutes=1), tick=False):
        with pytest.raises(NotFound):
            services.undo_change(link)
        jobs.forget(clock.now())
    assert (the_change().old_email, the_change().new_email) == (None, None)


def test_an_old_address_that_somebody_took_in_the_meantime_is_not_taken_from_them(app):
    person = make_person()
    services.change_address(person.id, code_for(person), None)
    make_person(OLD, email_proved_at=clock.now())
    with pytest.raises(Conflict) as error:
        services.undo_change(services.undo_token(the_change()))
    assert error.value.code == "address_taken"
    assert person_at(NEW).id == person.id


def test_an_account_at_the_old_address_that_nobody_proved_comes_along_when_it_is_given_back(app):
    person = make_person()
    services.change_address(person.id, code_for(person), None)
    unproved = make_person(OLD)  # as a payment under this address makes it
    with transaction("test.mail"):
        waiting = mail.send("accounts/farewell", OLD, "en", {"person_id": unproved.id})
    services.undo_change(services.undo_token(the_change()))
    assert person_at(OLD).id == person.id
    assert person_at(NEW) is None
    assert db.session.get(Person, unproved.id).merged_into_id == person.id
    assert db.session.get(OutboxMail, waiting).to_address == OLD


def test_of_two_who_take_one_address_at_the_same_time_one_wins_and_the_other_is_offered_to_merge(app):
    people = [make_person(f"p{n}@example.org").id for n in range(2)]
    codes = {}
    for person_id in people:
        services.ask_proof(person_id, "change", NEW, "en")
        codes[person_id] = code_in_mail()
    start, outcomes = threading.Barrier(2), {}

    def take(person_id):
        with app.app_context():
            start.wait()
            outcomes[person_id] = services.change_address(person_id, codes[person_id], None)

    threads = [threading.Thread(target=take, args=(person_id,)) for person_id in people]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    winner = person_at(NEW).id
    loser = next(person_id for person_id in people if person_id != winner)
    assert outcomes[winner].other_id is None
    assert outcomes[loser].other_id == winner


def test_a_member_who_proves_anothers_address_may_make_one_account_of_both(app, client):
    person, other = make_person(), make_person("second@example.org", email_proved_at=None)
    sign_in(client)
    post(client, "/account/email", email="second@example.org")
    assert post(client, "/account/email/code", code=code_in_mail()).location == "/account/email/join"
    assert "second@example.org" in client.get("/account/email/join").get_data(as_text=True)
    assert post(client, "/account/email/join").location == "/account"
    merged = person_at("second@example.org")
    assert merged.id == person.id
    assert db.session.get(Person, other.id).merged_into_id == person.id
    assert client.get("/account").status_code == 200
    # The offer stands once.
    assert post(client, "/account/email/join").status_code == 404


def test_an_account_whose_old_address_may_still_take_it_back_is_joined_to_no_other(app, client):
    make_person()
    thief = make_person("thief@example.org")
    services.change_address(thief.id, code_for(thief, "taken@example.org"), None)
    sign_in(client)
    post(client, "/account/email", email="taken@example.org")
    post(client, "/account/email/code", code=code_in_mail())
    page = post(client, "/account/email/join")
    assert page.status_code == 409
    assert "seven days" in page.get_data(as_text=True)
    db.session.rollback()
    services.undo_change(services.undo_token(the_change()))
    assert person_at("thief@example.org").id == thief.id


def test_an_offer_is_nothing_for_who_did_not_type_the_code(app, client):
    make_person()
    make_person("second@example.org")
    sign_in(client)
    post(client, "/account/email", email="second@example.org")
    assert post(client, "/account/email/join").status_code == 404
    assert client.get("/account/email/join").status_code == 303
    assert person_at("second@example.org") is not None


def test_somebody_on_the_staff_is_not_swallowed_by_a_member(app, client):
    person = make_person()
    make_staff("editor@example.org")
    sign_in(client)
    post(client, "/account/email", email="editor@example.org")
    post(client, "/account/email/code", code=code_in_mail())
    assert post(client, "/account/email/join").status_code == 409
    assert person_at("editor@example.org").id != person.id


def test_other_companies_are_told_until_they_answer_and_told_again_after_an_undo(app, monkeypatch):
    from membership.kernel.errors import ProviderFailed

    told, down = [], [True]

    def follower(person_id, email, key):
        if down[0]:
            raise ProviderFailed("provider_unreachable", "down", retryable=True)
        told.append((email, key.rpartition(":")[2]))

    monkeypatch.setitem(app.extensions, "membership.address_followers", (follower,))
    person = make_person()
    services.change_address(person.id, code_for(person), None)
    jobs.follow_addresses(clock.now())
    assert the_change().told_at is None
    down[0] = False
    jobs.follow_addresses(clock.now())
    jobs.follow_addresses(clock.now())
    assert told == [(NEW, "changed")]
    services.undo_change(services.undo_token(the_change()))
    jobs.follow_addresses(clock.now())
    assert told == [(NEW, "changed"), (OLD, "undone")]


def test_who_is_not_signed_in_changes_no_address(app, client):
    for path in ("/account/email", "/account/email/code", "/account/email/join"):
        assert client.get(path).status_code == 303
        assert post(client, path, code="12345678").status_code == 403
    assert session_id(client) is None


def test_a_chosen_language_of_mails_stays_whatever_language_somebody_signs_in_with(app, client):
    person = make_person()
    sign_in(client)
    answer = post(client, "/account/mails", wanted=["polls"], locale="uk")
    assert answer.status_code == 303
    sign_in(app.test_client())
    db.session.rollback()
    assert db.session.get(Person, person.id).locale == "uk"


def test_the_page_of_mails_keeps_what_is_ticked_and_stops_all_the_rest(app, client):
    from membership.mail.catalogue import About
    from membership.mail.queries import stops_of

    person = make_person()
    sign_in(client)
    page = client.get("/account/mails").get_data(as_text=True)
    assert page.count("checked") == 1 + page.count('name="wanted"')  # everything is wanted at first
    post(client, "/account/mails", wanted=["polls"], locale="en")
    assert About.POLLS not in stops_of(person.id)
    assert {About.TOPICS, About.REMINDERS} <= stops_of(person.id)
    post(client, "/account/mails/none")
    db.session.rollback()
    assert {About.TOPICS, About.POLLS, About.REMINDERS} <= stops_of(person.id)
    assert post(client, "/account/mails", wanted=["always"], locale="en").status_code == 422
