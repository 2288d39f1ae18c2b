"""The second factor of staff: an app, passkeys, recovery codes, and what each of them refuses."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from membership.accounts import services
from membership.accounts.models import Passkey, PasskeyChallenge, RecoveryCode, Session, StaffSession, TotpSecret
from membership.accounts.queries import factors_of, get_person
from membership.accounts.services import factors, passkeys
from membership.audit.models import AuditEntry
from membership.audit.rules import COMMAND
from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.mail.models import OutboxMail
from membership.web.tokens import seal, unseal
from tests.conftest import make_settings
from tests.factories.authenticator import HAS_CREDENTIAL, PRESENT, VERIFIED, Authenticator
from tests.factories.people import make_staff

START = "2026-11-01 12:00:10Z"


@pytest.fixture
def me(app):
    """A member of staff, and the session of one browser of theirs."""
    person = make_staff("me@example.org", "owner")
    return SimpleNamespace(id=person.id, public_id=person.public_id, here=begin_session(person))


def begin_session(person) -> int:
    at = clock.real_now()
    with transaction("test"):
        row = Session(
            id_hash=f"{person.id}-{at.timestamp()}", person_id=person.id, data={}, created_at=at, last_seen_at=at,
            expires_at=at + timedelta(days=1),
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        return row.id


def set_up_app(me) -> pyotp.TOTP:
    """An app that was set up with its code of now; the codes of later steps are good."""
    made = factors.begin_app(get_person(me.id))
    app = pyotp.TOTP(made.secret)
    me.codes = factors.set_app(me.id, made.sealed, app.at(clock.real_now())) or getattr(me, "codes", None)
    db.session.rollback()
    return app


def add_passkey(me, key=None, name="Key") -> Authenticator:
    key = key or Authenticator()
    me.codes = passkeys.add(me.id, me.here, key.create(passkeys.offer_new(get_person(me.id), me.here)), name)
    db.session.rollback()
    return key


def is_refused(act, *args) -> bool:
    with pytest.raises(InvalidInput) as error:
        act(*args)
    db.session.rollback()
    return error.value.code in {"code_wrong", "passkey_wrong"}


def logged() -> list[tuple[str, dict | None]]:
    rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.number))
    return [(row.action, row.after) for row in rows if row.action.startswith("factor.")]


def mailed() -> list[str]:
    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "accounts/factor").order_by(OutboxMail.id))
    return [row.args["what"] for row in rows]


# The app ------------------------------------------------------------------------------------------------


def test_an_app_is_set_up_with_its_first_code_and_taken_once_per_step(me):
    with time_machine.travel(START, tick=False) as now:
        app = set_up_app(me)
        assert is_refused(factors.show_app_code, me.id, app.at(clock.real_now()))  # it showed that it works with this
        now.shift(timedelta(seconds=30))
        code = app.at(clock.real_now())
        factors.show_app_code(me.id, code)
        assert is_refused(factors.show_app_code, me.id, code)  # replayed in the same step (ASVS 6.5.1)
        now.shift(timedelta(seconds=30))
        assert is_refused(factors.show_app_code, me.id, code)
        factors.show_app_code(me.id, app.at(clock.real_now()))
    assert [what for what, _ in logged()] == ["factor.app_set", *["factor.refused"] * 3]
    assert mailed() == ["app_set"]


def test_a_clock_may_be_off_by_one_step_and_no_more(me):
    with time_machine.travel(START, tick=False) as now:
        app = set_up_app(me)
        now.shift(timedelta(minutes=10))
        at = clock.real_now()
        for seconds in (-60, 60):
            assert is_refused(factors.show_app_code, me.id, app.at(at + timedelta(seconds=seconds)))
        factors.show_app_code(me.id, app.at(at - timedelta(seconds=30)))
        factors.show_app_code(me.id, app.at(at + timedelta(seconds=30)))
        assert is_refused(factors.show_app_code, me.id, app.at(at))  # earlier than what was shown last


def test_no_other_code_is_taken(me):
    made = factors.begin_app(get_person(me.id))
    right = pyotp.TOTP(made.secret).at(clock.real_now())
    for code in (
        "",
        "12345",
        "111111" if right == "000000" else "000000",
        "１２３４５６",
        "abcdef",
        right + "0",
        "0" * 200,
    ):
        assert is_refused(factors.set_app, me.id, made.sealed, code), code


def test_the_secret_is_sealed_for_its_owner_and_under_our_key(app, me):
    made = factors.begin_app(get_person(me.id))
    set_up_app(me)
    row = db.session.get(TotpSecret, me.id)
    assert made.secret not in made.sealed
    assert unseal(factors.APP, me.public_id, row.sealed) is not None
    other = make_staff("other@example.org", "viewer")
    assert unseal(factors.APP, other.public_id, row.sealed) is None
    assert unseal("something else", me.public_id, row.sealed) is None
    assert is_refused_form(other.id, made.sealed)
    sealed = row.sealed
    app.extensions["membership.settings"] = make_settings(secret_key="another-secret-key-of-more-than-32-letters")
    assert unseal(factors.APP, me.public_id, sealed) is None
    assert is_refused(factors.show_app_code, me.id, "123456")


def is_refused_form(person_id, sealed) -> bool:
    with pytest.raises(InvalidInput) as error:
        factors.set_app(person_id, sealed, "123456")
    db.session.rollback()
    return error.value.code == "token_invalid"


def test_a_form_that_was_open_for_half_an_hour_sets_nothing_up(me):
    with time_machine.travel(START, tick=False) as now:
        made = factors.begin_app(get_person(me.id))
        now.shift(timedelta(minutes=30))
        with pytest.raises(InvalidInput, match="open for too long"):
            factors.set_app(me.id, made.sealed, pyotp.TOTP(made.secret).at(clock.real_now()))
    assert factors_of(me.id).app_set_at is None


def test_another_app_takes_the_place_of_the_one_before(me):
    with time_machine.travel(START, tick=False) as now:
        first = set_up_app(me)
        second = set_up_app(me)
        now.shift(timedelta(minutes=1))
        assert is_refused(factors.show_app_code, me.id, first.at(clock.real_now()))
        factors.show_app_code(me.id, second.at(clock.real_now()))
    assert factors_of(me.id).n_codes == 10


# Recovery codes -----------------------------------------------------------------------------------------


def test_recovery_codes_come_with_the_first_factor_and_work_once_each(me):
    with time_machine.travel(START, tick=False):
        set_up_app(me)
        codes = me.codes
        assert len(set(codes)) == 10
        stored = set(db.session.scalars(select(RecoveryCode.code_hash)))
        assert not {part for code in codes for part in (code, code.replace("-", ""))} & stored
        assert factors.show_recovery_code(me.id, codes[3]) == 9
        assert is_refused(factors.show_recovery_code, me.id, codes[3])
        assert factors.show_recovery_code(me.id, codes[4].upper().replace("-", " ").replace("0", "O")) == 8
        add_passkey(me)
        assert me.codes is None  # there are some already
    assert mailed() == ["app_set", "code_used", "code_used", "passkey_added"]
    assert is_refused(factors.show_recovery_code, make_staff("other@example.org", "viewer").id, codes[5])


def test_new_recovery_codes_end_the_old_ones(me):
    set_up_app(me)
    old, new = me.codes, factors.make_codes(me.id)
    db.session.rollback()
    assert is_refused(factors.show_recovery_code, me.id, old[0])
    assert factors.show_recovery_code(me.id, new[0]) == 9


# Passkeys -----------------------------------------------------------------------------------------------


def test_a_passkey_is_added_and_shown_by_whoever_it_knows(me):
    key = add_passkey(me)
    passkeys.show(me.id, me.here, key.get(passkeys.offer_show(me.id, me.here)))
    row = db.session.scalar(select(Passkey))
    assert (row.name, row.sign_count, row.credential_id) == ("Key", 1, key.credential_id)
    assert row.used_at is not None
    assert len(me.codes) == 10
    question = json.loads(passkeys.offer_show(me.id, me.here))
    assert question["userVerification"] == "required"
    assert [each["id"] for each in question["allowCredentials"]] != []


def test_several_passkeys_have_names_and_one_known_device_is_no_second_one(me):
    add_passkey(me, name="  Work   phone ")
    key = add_passkey(me, name="Blue key")
    assert [each.name for each in factors_of(me.id).passkeys] == ["Work phone", "Blue key"]
    excluded = json.loads(passkeys.offer_new(get_person(me.id), me.here))["excludeCredentials"]
    assert len(excluded) == 2
    again = key.create(passkeys.offer_new(get_person(me.id), me.here))
    assert is_refused(passkeys.add, me.id, me.here, again, "Twice")


def test_a_synced_passkey_does_not_count_and_is_taken_all_the_same(me):
    key = add_passkey(me, Authenticator(counts=False))
    for _ in range(2):
        passkeys.show(me.id, me.here, key.get(passkeys.offer_show(me.id, me.here)))


WRONG = {
    "not verified by its owner": {"flags": PRESENT},
    "nobody touched it": {"flags": VERIFIED},
    "another website": {"origin": "https://evil.example"},
    "another port": {"origin": "http://localhost:81"},
    "another question": {"challenge": "AAAA"},
    "an answer to the other question": {"type": "payment.get"},
}


def test_what_does_not_answer_our_question_is_refused(me):
    key = add_passkey(me)
    for words, wrong in WRONG.items():
        asked = passkeys.offer_show(me.id, me.here)
        assert is_refused(passkeys.show, me.id, me.here, key.get(asked, **wrong)), words
        asked = passkeys.offer_new(get_person(me.id), me.here)
        flags = {"flags": wrong["flags"] | HAS_CREDENTIAL} if "flags" in wrong else wrong
        assert is_refused(passkeys.add, me.id, me.here, Authenticator().create(asked, **flags), "x"), words
    stranger = Authenticator()
    assert is_refused(passkeys.show, me.id, me.here, stranger.get(passkeys.offer_show(me.id, me.here)))
    elsewhere = Authenticator(rp_id="evil.example")
    elsewhere.credential_id = key.credential_id
    assert is_refused(passkeys.show, me.id, me.here, elsewhere.get(passkeys.offer_show(me.id, me.here)))
    assert {row["by"] for what, row in logged() if what == "factor.refused"} == {"passkey"}


def test_an_answer_counts_once_in_the_session_that_was_asked_and_for_five_minutes(me):
    key = add_passkey(me, Authenticator(counts=False))
    answer = key.get(passkeys.offer_show(me.id, me.here))
    passkeys.show(me.id, me.here, answer)
    assert is_refused(passkeys.show, me.id, me.here, answer)
    there = begin_session(get_person(me.id))
    assert is_refused(passkeys.show, me.id, there, key.get(passkeys.offer_show(me.id, me.here)))
    # A question about a new passkey is not answered by showing an old one.
    assert is_refused(passkeys.show, me.id, me.here, key.get(passkeys.offer_new(get_person(me.id), me.here)))
    with time_machine.travel(clock.real_now(), tick=False) as now:
        late = key.get(passkeys.offer_show(me.id, me.here))
        now.shift(timedelta(minutes=5))
        assert is_refused(passkeys.show, me.id, me.here, late)


def test_a_copied_key_whose_count_stands_still_is_refused(me):
    key = add_passkey(me)
    passkeys.show(me.id, me.here, key.get(passkeys.offer_show(me.id, me.here)))
    key.n_used = 0
    assert is_refused(passkeys.show, me.id, me.here, key.get(passkeys.offer_show(me.id, me.here)))


def test_somebody_elses_passkey_opens_nothing(me):
    other = make_staff("other@example.org", "viewer")
    them = SimpleNamespace(id=other.id, here=begin_session(other))
    key = add_passkey(them)
    add_passkey(me)
    assert is_refused(passkeys.show, me.id, me.here, key.get(passkeys.offer_show(me.id, me.here)))
    with pytest.raises(NotFound):
        passkeys.remove(me.id, factors_of(other.id).passkeys[0].id)


@pytest.mark.parametrize("start", ["create", "get"])
def test_garbage_is_refused_and_breaks_nothing(app, start):
    """Every way to spoil an answer: cut, other kinds, other bytes."""
    person = make_staff("me@example.org", "owner")
    me = SimpleNamespace(id=person.id, public_id=person.public_id, here=begin_session(person))
    key = add_passkey(me)

    def fresh() -> str:
        if start == "get":
            return key.get(passkeys.offer_show(me.id, me.here))
        return Authenticator().create(passkeys.offer_new(get_person(me.id), me.here))

    def take(answer) -> None:
        if start == "get":
            passkeys.show(me.id, me.here, answer)
        else:
            passkeys.add(me.id, me.here, answer, "x")

    for answer in (
        "",
        "{",
        "[]",
        "null",
        "1",
        '"x"',
        "{}",
        '{"response": {}}',
        '{"response": []}',
        "[" * 5000,
        "x" * 40_000,
    ):
        assert is_refused(take, answer), answer[:20]
    for name in json.loads(fresh())["response"]:
        for spoiled in ("", "AA", "!!", 7, None, [], {"a": 1}, "A" * 4000, "9" * 37):
            answer = json.loads(fresh())
            answer["response"][name] = spoiled
            assert is_refused(take, json.dumps(answer)), (name, spoiled)
    for name in ("id", "rawId", "type"):
        for spoiled in ("", "AA", 7, None, []):
            assert is_refused(take, json.dumps(json.loads(fresh()) | {name: spoiled})), (name, spoiled)


@pytest.mark.parametrize(
    ("url", "are_possible"),
    [
        ("https://join.example.org", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_passkeys_need_a_site_with_a_name(app, url, are_possible):
    app.extensions["membership.settings"] = make_settings(public_url=url)
    assert passkeys.are_possible() is are_possible


# Taking away --------------------------------------------------------------------------------------------


def test_the_last_factor_can_be_replaced_and_not_taken_away(me):
    set_up_app(me)
    with pytest.raises(Conflict, match="only second factor"):
        factors.remove_app(me.id)
    add_passkey(me)
    factors.remove_app(me.id)
    with pytest.raises(Conflict, match="only second factor"):
        passkeys.remove(me.id, factors_of(me.id).passkeys[0].id)
    assert mailed() == ["app_set", "passkey_added", "app_removed"]


def test_a_reset_takes_everything_signs_out_everywhere_and_tells_both(me):
    other = make_staff("other@example.org", "viewer")
    them = SimpleNamespace(id=other.id, here=begin_session(other))
    set_up_app(them)
    add_passkey(them)
    services.enter(them.here, get_person(them.id), "app")
    factors.reset(them.id, actor=f"staff:{me.public_id}", reason="Phone lost", actor_id=me.id)
    db.session.rollback()
    assert (factors_of(them.id).n, factors_of(them.id).n_codes) == (0, 0)
    assert db.session.scalar(select(StaffSession.id)) is None
    assert db.session.get(Session, them.here) is None  # else whoever holds that browser could set up the next factor
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "factor.reset")).one()
    assert (row.actor, row.about, row.reason) == (f"staff:{me.public_id}", other.public_id, "Phone lost")
    assert row.before == {"app": True, "passkeys": 1, "codes": 10}
    kinds = db.session.execute(select(OutboxMail.kind, OutboxMail.to_address).order_by(OutboxMail.id)).all()
    told = [tuple(each) for each in kinds[-2:]]
    assert told == [("accounts/factor", "other@example.org"), ("accounts/factor_reset", "me@example.org")]


def test_who_leaves_the_staff_leaves_no_factor_behind(me):
    other = make_staff("other@example.org", "viewer")
    them = SimpleNamespace(id=other.id, here=begin_session(other))
    set_up_app(them)
    add_passkey(them)
    services.enter(them.here, get_person(them.id), "passkey")
    services.dismiss("other@example.org", clock.now())
    for model in (TotpSecret, Passkey, RecoveryCode, StaffSession):
        assert db.session.query(model).count() == 0, model


def test_the_last_owner_is_helped_at_the_machine(app, me):
    from membership.cli.staff import staff

    set_up_app(me)
    runner = app.test_cli_runner()
    assert runner.invoke(staff, ["reset-factor", "nobody@example.org"]).exit_code == 2
    answer = runner.invoke(staff, ["reset-factor", "Me@example.org", "--reason", "Phone lost"])
    assert answer.exit_code == 0, answer.output
    db.session.rollback()
    assert factors_of(me.id).n == 0
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "factor.reset")).one()
    assert (row.actor, row.reason) == (COMMAND, "Phone lost")
    assert mailed()[-1] == "reset"


def test_questions_that_nobody_answered_and_desks_that_are_over_are_forgotten(me):
    with time_machine.travel(START, tick=False) as now:
        add_passkey(me)
        passkeys.offer_show(me.id, me.here)
        services.enter(me.here, get_person(me.id), "passkey")
        now.shift(timedelta(minutes=31))
        services.forget(clock.real_now())
    assert db.session.query(PasskeyChallenge).count() == 0
    assert db.session.query(StaffSession).count() == 0


def test_what_was_sealed_twice_looks_different_each_time(app):
    assert seal("x", "y", b"secret") != seal("x", "y", b"secret")
