"""One story for every form of the desk: what is there beforehand, and what somebody sends who gets it done.

A story gets the owner's `Desk` and answers (path, fields); a new form of the desk needs one.
"""

import io
import itertools
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import pyotp
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from membership.accounts import queries as accounts
from membership.accounts import rules
from membership.accounts.models import Person, TotpSecret
from membership.accounts.services import approving, factors, passkeys
from membership.billing.models import InboxEvent
from membership.billing.services import sync
from membership.contributions.models import Contribution
from membership.contributions.rules import State
from membership.db import db, transaction
from membership.front.queries import kept as kept_lists
from membership.front.queries import person_page
from membership.kernel import clock
from membership.mail.models import OutboxMail
from membership.newsroom.queries.snapshot import current
from membership.newsroom.rules.subjects import Subject
from membership.patrons.queries import comps_of
from membership.polls import queries as polls
from membership.topics.rules import Stage
from membership.transfers import queries as transfers
from membership.transfers import services as transfer_services
from membership.web.tokens import seal
from tests.billing.conftest import make_event
from tests.factories.appeals import OTHER, make_appeal, make_appeal_at
from tests.factories.authenticator import Authenticator
from tests.factories.checkout import pay
from tests.factories.corrections import make_passage, make_passage_at, make_report
from tests.factories.listed import make_support
from tests.factories.people import any_token, make_owner, make_person, make_staff, sign_in
from tests.factories.polls import NOW, close_poll, make_draft, make_patron, make_poll, make_topics
from tests.factories.polls import cast_ballot as cast
from tests.factories.topics import STORY, WHY, make_topic, make_topic_at
from tests.faults.conftest import begin
from tests.transfers.conftest import announce, days_ago
from tests.transfers.statements import camt, entry

numbers = itertools.count(1)
WHY_NOT = {"reason": "They asked for it"}
Act = tuple[str, dict]


@dataclass
class Desk:
    """A browser at the desk, and whose it is."""

    browser: FlaskClient
    person: Person

    def read(self, path: str) -> str:
        return self.browser.get(path).get_data(as_text=True)

    def send(self, path: str, fields: dict):
        """What a browser sends, files included; the test client would leave the files of large forms open."""
        data = {"csrf_token": any_token(self.browser)} | fields
        if not any(isinstance(value, FileStorage) for value in data.values()):
            return self.browser.post(path, data=data)
        boundary, body = encode_multipart(data)
        return self.browser.post(path, data=body, content_type=f'multipart/form-data; boundary="{boundary}"')

    def token(self, path: str) -> dict:
        """The token of one press, from the page of a form."""
        return {"form_token": re.search(r'name="form_token"[^>]*value="([^"]+)"', self.read(path))[1]}

    def hidden(self, path: str, *names: str) -> dict:
        """What the page of a form says in its hidden fields of these names."""
        page = self.read(path)
        return {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1] for name in names}

    @property
    def here(self) -> int:
        """The row of this browser's session."""
        return accounts.sessions_of(self.person.id)[0].id


def somebody() -> Person:
    return make_person(f"reader-{next(numbers)}@example.org")


def colleague(role="editor") -> Person:
    return make_staff(f"colleague-{next(numbers)}@example.org", role)


# The second factor --------------------------------------------------------------------------------------


def set_app(desk) -> Act:
    made = factors.begin_app(accounts.get_person(desk.person.id))
    return "/staff/factor/app", {"sealed": made.sealed, "code": pyotp.TOTP(made.secret).at(clock.real_now())}


def show_app_code(desk) -> Act:
    secret = pyotp.random_base32()
    with transaction("test"):
        row = db.session.get_one(TotpSecret, desk.person.id)
        row.sealed, row.last_step = seal(factors.APP, desk.person.public_id, secret.encode()), 0
    return "/staff/factor/app-code", {"code": pyotp.TOTP(secret).at(clock.real_now())}


def show_recovery_code(desk) -> Act:
    return "/staff/factor/recovery-code", {"code": factors.make_codes(desk.person.id)[0]}


def _passkey(desk) -> Authenticator:
    key = Authenticator()
    asked = passkeys.offer_new(accounts.get_person(desk.person.id), desk.here)
    passkeys.add(desk.person.id, desk.here, key.create(asked), f"Key {next(numbers)}")
    return key


def show_passkey(desk) -> Act:
    key = _passkey(desk)
    return "/staff/factor/passkey", {"answer": key.get(passkeys.offer_show(desk.person.id, desk.here))}


def add_passkey(desk) -> Act:
    asked = passkeys.offer_new(accounts.get_person(desk.person.id), desk.here)
    return "/staff/factor/passkeys/new", {"answer": Authenticator().create(asked), "name": "Blue key"}


def remove_passkey(desk) -> Act:
    _passkey(desk)
    return f"/staff/factor/passkeys/{accounts.factors_of(desk.person.id).passkeys[0].id}/remove", {}


def remove_app(desk) -> Act:
    _passkey(desk)
    return "/staff/factor/app/remove", {}


# The team -----------------------------------------------------------------------------------------------


def invite(desk) -> Act:
    fields = {"email": f"new-{next(numbers)}@example.org", "name": "New", "role": "viewer", "locale": "en"}
    return "/staff/team/invite", fields


def change_role(desk) -> Act:
    return f"/staff/team/{colleague().public_id}/role", WHY_NOT | {"role": "viewer"}


def reset_factor(desk) -> Act:
    """Of the only owner: else it waits for another one."""
    for row in accounts.staff_rows():
        if row.member.role == "owner" and row.person.id != desk.person.id:
            make_staff(row.person.email, "editor")
    return f"/staff/team/{colleague().public_id}/reset-factor", WHY_NOT


def take_off(desk) -> Act:
    return f"/staff/team/{colleague().public_id}/remove", WHY_NOT


def end_session(desk) -> Act:
    person = colleague()
    sign_in(desk.browser.application.test_client(), person.email)
    session_id = accounts.sessions_of(person.id)[0].id
    return f"/staff/team/{person.public_id}/sessions/{session_id}/end", {}


def _asked(desk, *, by_them: bool) -> str:
    """The page of what waits for a second owner: of this desk, or of another one."""
    other = make_owner(f"colleague-{next(numbers)}@example.org")
    asker = accounts.get_person(other.id if by_them else desk.person.id)
    about = colleague()
    assert approving.do_or_ask(approving.Wish(rules.Act.RESET, about.id, asker, "Phone lost"))
    return f"/staff/team/approvals/{accounts.list_waiting()[-1].row.id}"


def agree(desk) -> Act:
    return _asked(desk, by_them=True), {}


def refuse(desk) -> Act:
    return f"{_asked(desk, by_them=True)}/refuse", {}


def withdraw(desk) -> Act:
    return f"{_asked(desk, by_them=False)}/withdraw", {}


# People -------------------------------------------------------------------------------------------------


def _supporter() -> SimpleNamespace:
    """Somebody who gives two cups a month and has paid the first."""
    number = next(numbers) + 1000
    url = begin(number)
    pay(url)
    sync("checkout_session", url.rpartition("/")[2])
    row = db.session.scalar(select(Contribution).where(Contribution.email == f"reader{number}@example.org"))
    person = accounts.get_person(row.person_id)
    receipt = person_page.view_person(person, clock.now()).payments.rows[0].receipt_number
    return SimpleNamespace(base=f"/staff/people/{person.public_id}", reference=row.reference, receipt=receipt)


def refund(desk) -> Act:
    who = _supporter()
    path = f"{who.base}/refund/{who.receipt}"
    return path, WHY_NOT | desk.token(path) | {"amount": "4", "confirmed": "y"}


def support(desk) -> Act:
    who = _supporter()
    path = f"{who.base}/support/{who.reference}/cancel"
    return path, WHY_NOT | desk.token(path)


def comp(desk) -> Act:
    path = f"/staff/people/{somebody().public_id}/comp"
    until = (clock.now() + timedelta(days=30)).date().isoformat()
    return path, WHY_NOT | desk.token(path) | {"until": until}


def revoke_comp(desk) -> Act:
    path, fields = comp(desk)
    assert desk.send(path, fields).status_code == 303
    person = accounts.get_by_public_id(path.split("/")[3])
    path = f"{path}/{comps_of(person.id)[0].id}/revoke"
    return path, WHY_NOT | desk.token(path)


def way_in(desk) -> Act:
    path = f"/staff/people/{somebody().public_id}/way-in"
    return path, WHY_NOT | desk.token(path)


def look_at_both(desk) -> Act:
    return f"/staff/people/{somebody().public_id}/merge/look", {"other": somebody().email}


def merge_people(desk) -> Act:
    return f"/staff/people/{somebody().public_id}/merge", WHY_NOT | {"other": somebody().public_id}


def erase(desk) -> Act:
    return f"/staff/people/{somebody().public_id}/erase", WHY_NOT


def _failing() -> str:
    """The reference of a support whose renewal failed."""
    row = make_support(somebody(), State.PAST_DUE, failed_at=clock.now(), failure_reason="insufficient_funds")
    return row.reference


def mail_failure(desk) -> Act:
    path = f"/staff/trouble/{_failing()}/mail"
    return path, WHY_NOT | desk.token(path)


def export_people(desk) -> Act:
    return "/staff/people/export", {"filter": "standing=patron"}


def keep_list(desk) -> Act:
    return "/staff/people/segments", {"filter": "standing=patron", "name": f"Patrons {next(numbers)}"}


def forget_list(desk) -> Act:
    path, fields = keep_list(desk)
    assert desk.send(path, fields).status_code == 303
    kept = next(each for each in kept_lists.list_segments() if each.name == fields["name"])
    return f"{path}/{kept.id}/remove", {}


def tag(desk) -> Act:
    return f"/staff/people/{somebody().public_id}/tags", {"name": f"Tag {next(numbers)}"}


def untag(desk) -> Act:
    path, fields = tag(desk)
    assert desk.send(path, fields).status_code == 303
    made = next(each for each in kept_lists.list_tags() if each.name == fields["name"])
    return f"{path}/{made.id}/remove", {}


def draft_run(desk) -> Act:
    fields = {
        "filter": "",
        "scope": "ticked",
        "who": [somebody().public_id],
        "what": "comp",
        "months": "1",
    }
    return "/staff/people/many", fields


def start_run(desk) -> Act:
    path, fields = draft_run(desk)
    return f"{desk.send(path, fields).location}/start", WHY_NOT


def stop_run(desk) -> Act:
    path, fields = start_run(desk)
    assert desk.send(path, fields).status_code == 303
    return path.replace("/start", "/stop"), {}


def undo_run(desk) -> Act:
    path, fields = start_run(desk)
    assert desk.send(path, fields).status_code == 303
    return path.replace("/start", "/undo"), {}


# Behind the scenes --------------------------------------------------------------------------------------


def _given_up() -> str:
    """The id of a notice that was given up."""
    number, at = next(numbers), clock.real_now()
    row = InboxEvent(
        id=f"evt_dead{number}", type="invoice.paid", object_kind="invoice", object_id=f"in_dead{number}", created_at=at,
        signed_at=at, received_at=at, body=json.dumps(make_event(f"evt_dead{number}")).encode(), state="dead",
        next_try_at=None, done_at=at,
    )  # fmt: skip
    db.session.add(row)
    db.session.commit()
    return row.id


def replay(desk) -> Act:
    path = f"/staff/inbox/{_given_up()}/replay"
    return path, WHY_NOT | desk.token(path)


def replay_all(desk) -> Act:
    _given_up()
    path = "/staff/inbox/replay/all"
    return path, WHY_NOT | desk.hidden(path, "form_token", "until")


def _stuck_mail() -> int:
    at = clock.real_now()
    row = OutboxMail(
        kind="accounts/sign_in", to_address="nobody@example.org", locale="en", args={}, created_at=at, next_try_at=at,
        state="dead", done_at=at, tried_at=at, last_error="The mail server refused it.", failure="refused",
    )  # fmt: skip
    db.session.add(row)
    db.session.commit()
    return row.id


def mail_again(desk) -> Act:
    path = f"/staff/mails/{_stuck_mail()}/again"
    return path, WHY_NOT | desk.token(path)


def mails_again(desk) -> Act:
    _stuck_mail()
    path = "/staff/mails/again"
    return path, WHY_NOT | desk.hidden(path, "form_token", "until")


GOAL = "/staff/settings/goal"


def save_setting(desk) -> Act:
    number = current().number(Subject.GOAL)
    fields = {"kind": "patrons", "n_patrons": str(700 + next(numbers)), "money_minor": "", "currency": "EUR"}
    return f"{GOAL}/save", fields | {"base": str(number)}


def setting_back(desk) -> Act:
    path, fields = save_setting(desk)
    assert desk.send(path, fields).status_code == 303
    return f"{GOAL}/back", {"to": "0", "base": str(int(fields["base"]) + 1)}


# Statements ---------------------------------------------------------------------------------------------


def _line(*, is_ours=False, **more) -> int:
    """A new line of a statement; `is_ours`: it has one of our codes, so that somebody is suggested for it."""
    code = announce(f"form-{next(numbers)}").code if is_ours else f"hello {next(numbers)}"
    transfer_services.read_in(camt(entry("4.00", code, days_ago(1), **more)), None, clock.now())
    db.session.rollback()
    return max(line.id for line in transfers.list_open_lines(500))


def upload(desk) -> Act:
    raw = camt(entry("4.00", f"new {next(numbers)}", days_ago(1)))
    return "/staff/statements", {"file": FileStorage(io.BytesIO(raw), "statement.xml"), "mapping": ""}


def confirm_many(desk) -> Act:
    return "/staff/statements/confirm", {"line": [str(_line(is_ours=True))]}


def confirm(desk) -> Act:
    return f"/staff/statements/{_line(is_ours=True)}/confirm", {}


def assign_line(desk) -> Act:
    return f"/staff/statements/{_line()}/assign", {"email": f"giver-{next(numbers)}@example.org"}


def _booked(desk) -> int:
    path, fields = assign_line(desk)
    assert desk.send(path, fields).status_code == 303
    db.session.rollback()
    return int(path.split("/")[3])


def _receipt(desk, line_id) -> str:
    payment_id = transfers.get_line(line_id).payment_id
    return transfers.payments_by_id([payment_id])[payment_id].receipt_number


def take_line_back(desk) -> Act:
    announced = announce(f"form-{next(numbers)}").code  # a debit is kept only if it names one of ours
    number = _receipt(desk, _booked(desk))
    raw = camt(entry("4.00", announced, days_ago(0), side="DBIT", is_reversal=True))
    transfer_services.read_in(raw, None, clock.now())
    db.session.rollback()
    line_id = max(line.id for line in transfers.list_open_lines(500))
    return f"/staff/statements/{line_id}/return", {"receipt": number}


def ignore(desk) -> Act:
    return f"/staff/statements/{_line()}/ignore", WHY_NOT


def reopen(desk) -> Act:
    path, fields = ignore(desk)
    assert desk.send(path, fields).status_code == 303
    return path.replace("/ignore", "/open"), {}


def undo_line(desk) -> Act:
    return f"/staff/statements/{_booked(desk)}/undo", WHY_NOT


def by_hand(desk) -> Act:
    fields = {"way": "cash", "amount": "20", "currency": "EUR", "day": days_ago(0), "code": "", "reason": "An envelope"}
    path = "/staff/statements/by-hand"
    return path, fields | desk.token(path) | {"email": f"cash-{next(numbers)}@example.org"}


def give_back(desk) -> Act:
    path, fields = by_hand(desk)
    page = desk.send(path, fields).location
    return f"{page}/back", WHY_NOT | desk.token(page) | {"amount": "5", "day": days_ago(0)}


def undo_payment(desk) -> Act:
    path, fields = by_hand(desk)
    return f"{desk.send(path, fields).location}/undo", WHY_NOT


def save_mapping(desk) -> Act:
    return "/staff/statements/mappings", {
        "mapping_name": f"bank-{next(numbers)}", "way": "bank", "delimiter": ";", "encoding": "utf-8", "decimal": ",",
        "date_form": "%d.%m.%Y", "date": "Tag", "amount": "Betrag", "amount_out": "", "currency": "",
        "currency_is": "eur", "texts": "Text", "name": "", "account": "", "own_id": "",
    }  # fmt: skip


def forget_mapping(desk) -> Act:
    path, fields = save_mapping(desk)
    assert desk.send(path, fields).status_code == 303
    return f"{path}/{fields['mapping_name']}/forget", {}


# Topics -------------------------------------------------------------------------------------------------


def on_topic(stage: Stage, action: str, **fields):
    """The story of one action about a topic at `stage`."""

    def story(desk) -> Act:
        topic = make_topic_at(stage, f"What about the harbour, part {next(numbers)}", owner=desk.person)
        return f"/staff/topics/{topic.public_id}/{action}", fields

    return story


def new_topic(desk) -> Act:
    fields = {"title": f"A topic of ours, part {next(numbers)}", "why": WHY, "links": "", "locale": "en", "step": ""}
    return "/staff/topics/new", fields


def edit_topic(desk) -> Act:
    topic = make_topic(f"Before, part {next(numbers)}")
    fields = {"title": f"Afterwards, part {next(numbers)}", "why": WHY, "hours": "12"}
    return f"/staff/topics/{topic.public_id}/edit", fields


def hide_topic(desk) -> Act:
    return on_topic(Stage.DECLINED, "hide")(desk)


def show_topic(desk) -> Act:
    path, fields = hide_topic(desk)
    assert desk.send(path, fields).status_code == 303
    return path.replace("/hide", "/show"), fields


def assign_topic(desk) -> Act:
    fields = {"owner": str(desk.person.id), "due_on": (clock.now() + timedelta(days=30)).date().isoformat()}
    return on_topic(Stage.CHOSEN, "assign", **fields)(desk)


def merge_topic(desk) -> Act:
    target = make_topic_at(Stage.SHORTLISTED, f"The larger question, part {next(numbers)}")
    return on_topic(Stage.PROPOSED, "merge", into=target.public_id)(desk)


def unmerge_topic(desk) -> Act:
    path, fields = merge_topic(desk)
    assert desk.send(path, fields).status_code == 303
    return path.replace("/merge", "/unmerge"), {}


# Corrections --------------------------------------------------------------------------------------------


def on_passage(action: str, **fields):
    """The story of one action about a mistake that somebody reported."""

    def story(desk) -> Act:
        return f"/staff/corrections/{make_passage('', note=f'Mistake {next(numbers)}').public_id}/{action}", fields

    return story


def duplicate_passage(desk) -> Act:
    other = make_passage("", note=f"The same in other words, {next(numbers)}")
    return on_passage("duplicate", into=other.public_id)(desk)


def reopen_passage(desk) -> Act:
    passage = make_passage_at("declined", quote="", note=f"Declined in error, {next(numbers)}")
    return f"/staff/corrections/{passage.public_id}/reopen", {}


def part_passage(desk) -> Act:
    marked = f"word number {next(numbers)} of a long list"
    first = make_passage(marked, prefix="", suffix="")
    other = make_report(marked, prefix="", suffix="", email="two@example.org")
    return f"/staff/corrections/{first.public_id}/apart/{other.public_id}", {}


def assign_passage(desk) -> Act:
    return on_passage("assign", owner=str(colleague().id))(desk)


# Polls --------------------------------------------------------------------------------------------------


def _poll_fields() -> dict:
    return {
        "title": "What shall we look into this winter?", "intro": "Tick every topic.", "locale": "en",
        "topic_ids": [str(each) for each in make_topics(3)], "rule": "spav", "n_seats": "2", "max_ranks": "5",
        "budget_hours": "", "opens_at": "2026-11-20T14:00", "closes_at": "2026-11-27T14:00", "eligibility": "paid",
        "joined_before": "", "publish": "from", "publish_from": "500",
    }  # fmt: skip


def new_poll(desk) -> Act:
    return "/staff/polls/new", _poll_fields()


def edit_poll(desk) -> Act:
    return f"/staff/polls/{make_draft().public_id}/edit", _poll_fields()


def _a_patron() -> Person:
    return make_patron(f"patron-{next(numbers)}@example.org")


# Appeals ------------------------------------------------------------------------------------------------


def _appeal_fields(**changes) -> dict:
    plan = {"name": f"Appeal {next(numbers)}", "priority": "5", "cap_views": "4", "cap_days": "30", "days_between": "1"}
    words = {f"a_en_{part}": text for part, text in OTHER.items()}
    return plan | words | {"holdout_percent": "10", "a_weight": "1", "version": "1"} | changes


def new_appeal(desk) -> Act:
    return "/staff/appeals/new", _appeal_fields()


def save_appeal(desk) -> Act:
    return f"/staff/appeals/{make_appeal().public_id}", _appeal_fields(do="add")


def start_appeal(desk) -> Act:
    return f"/staff/appeals/{make_appeal().public_id}/start", {"version": "1"}


def stop_appeal(desk) -> Act:
    return f"/staff/appeals/{make_appeal_at('running').public_id}/stop", {}


def end_appeal(desk) -> Act:
    until = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    return f"/staff/appeals/{make_appeal_at('running').public_id}/end", {"ends_at": until}


def copy_appeal(desk) -> Act:
    return f"/staff/appeals/{make_appeal().public_id}/copy", {}


def open_poll(desk) -> Act:
    _a_patron()
    return f"/staff/polls/{make_draft().public_id}/open", {}


def cancel_poll(desk) -> Act:
    _a_patron()
    return f"/staff/polls/{make_poll().public_id}/cancel", WHY_NOT


def skip_winner(desk) -> Act:
    voter = _a_patron()
    poll = make_poll()
    cast(poll, voter, [0, 1])
    closed = close_poll(poll)
    return f"/staff/polls/{closed.public_id}/skip/{polls.winners_now(closed)[0]}", WHY_NOT


REASON = {"reason": "We reported this in May."}
# Endpoint -> (its story, the action that the log must name).
STORIES = {
    "factor.set_app": (set_app, "factor.app_set"),
    "factor.show_app_code": (show_app_code, "desk.entered"),
    "factor.show_recovery_code": (show_recovery_code, "factor.code_used"),
    "factor.show_passkey": (show_passkey, "desk.entered"),
    "factor.add_passkey": (add_passkey, "factor.passkey_added"),
    "factor.remove_passkey": (remove_passkey, "factor.passkey_removed"),
    "factor.remove_app": (remove_app, "factor.app_removed"),
    "factor.make_codes": (lambda desk: ("/staff/factor/codes", {}), "factor.codes_made"),
    "team.invite_post": (invite, "staff.role"),
    "team.role_post": (change_role, "staff.role"),
    "team.reset_factor_post": (reset_factor, "factor.reset"),
    "team.remove_post": (take_off, "staff.role"),
    "team.approve": (agree, "approval.approved"),
    "team.refuse_approval": (refuse, "approval.refused"),
    "team.withdraw_approval": (withdraw, "approval.withdrawn"),
    "team.end_session": (end_session, "session.ended"),
    "people_desk.refund_post": (refund, "refund.asked"),
    "people_desk.support_post": (support, "support.cancel"),
    "people_desk.comp_post": (comp, "comp.granted"),
    "people_desk.revoke_post": (revoke_comp, "comp.revoked"),
    "people_desk.way_in_post": (way_in, "person.way_in"),
    "people_desk.mail_failure_post": (mail_failure, "support.mailed"),
    "people_desk.export_post": (export_people, "people.exported"),
    "people_desk.keep_segment": (keep_list, "list.kept"),
    "people_desk.remove_segment": (forget_list, "list.forgotten"),
    "people_desk.tag": (tag, "person.tagged"),
    "people_desk.untag": (untag, "person.untagged"),
    "people_desk.draft": (draft_run, "run.drafted"),
    "people_desk.start": (start_run, "run.started"),
    "people_desk.stop": (stop_run, "run.stopped"),
    "people_desk.undo": (undo_run, "run.undone"),
    "inbox.replay_post": (replay, "notice.replayed"),
    "inbox.replay_all_post": (replay_all, "notice.replayed"),
    "mails.do": (mail_again, "mail.sent_again"),
    "mails.again_all_post": (mails_again, "mail.sent_again"),
    "settings.save": (save_setting, "settings.saved"),
    "settings.back": (setting_back, "settings.saved"),
    "leaving.look": (look_at_both, "person.read"),
    "leaving.merge": (merge_people, "person.merged"),
    "leaving.erase": (erase, "person.erased"),
    "statements.upload": (upload, "statement.imported"),
    "statements.confirm": (confirm_many, "transfer.matched"),
    "statements.confirm_one": (confirm, "transfer.matched"),
    "statements.assign": (assign_line, "transfer.matched"),
    "statements.take_back": (take_line_back, "transfer.matched"),
    "statements.ignore": (ignore, "line.ignored"),
    "statements.reopen": (reopen, "line.reopened"),
    "statements.undo": (undo_line, "transfer.undone"),
    "hand.book": (by_hand, "transfer.by_hand"),
    "hand.give_back": (give_back, "transfer.given_back"),
    "hand.undo": (undo_payment, "transfer.undone"),
    "hand.save_mapping": (save_mapping, "mapping.saved"),
    "hand.forget_mapping": (forget_mapping, "mapping.forgotten"),
    "topic_desk.new_post": (new_topic, "topic.proposed"),
    "topic_desk.edit": (edit_topic, "topic.edited"),
    "topic_desk.shortlist": (on_topic(Stage.PROPOSED, "shortlist"), "topic.shortlisted"),
    "topic_desk.decline": (on_topic(Stage.PROPOSED, "decline", **REASON), "topic.declined"),
    "topic_desk.hide": (hide_topic, "topic.edited"),
    "topic_desk.show": (show_topic, "topic.edited"),
    "topic_desk.back": (on_topic(Stage.DECLINED, "back", **REASON), "topic.shortlisted"),
    "topic_desk.merge": (merge_topic, "topic.merged"),
    "topic_desk.unmerge": (unmerge_topic, "topic.unmerged"),
    "topic_desk.assign": (assign_topic, "topic.reporting"),
    "topic_desk.update": (on_topic(Stage.REPORTING, "update", words="We have the papers."), "topic.update"),
    "topic_desk.publish": (
        on_topic(Stage.REPORTING, "publish", story_url=STORY[0], story_title=STORY[1]), "topic.published",
    ),
    "topic_desk.take_back": (on_topic(Stage.PUBLISHED, "take-back", **REASON), "topic.reporting"),
    "topic_desk.drop": (on_topic(Stage.REPORTING, "drop", **REASON), "topic.dropped"),
    "correction_desk.fix": (
        on_passage("fix", before="1.2 million", after="2.1 million", headline="", reply=""), "correction.fixed",
    ),
    "correction_desk.decline": (on_passage("decline", reply="It is right."), "correction.declined"),
    "correction_desk.duplicate": (duplicate_passage, "correction.duplicate"),
    "correction_desk.spam": (on_passage("spam"), "correction.spam"),
    "correction_desk.reopen": (reopen_passage, "correction.new"),
    "correction_desk.take": (on_passage("take"), "correction.owner"),
    "correction_desk.assign": (assign_passage, "correction.owner"),
    "correction_desk.apart": (part_passage, "correction.apart"),
    "appeal_desk.new_post": (new_appeal, "appeal.drafted"),
    "appeal_desk.save": (save_appeal, "appeal.changed"),
    "appeal_desk.start": (start_appeal, "appeal.started"),
    "appeal_desk.stop": (stop_appeal, "appeal.stopped"),
    "appeal_desk.end": (end_appeal, "appeal.shortened"),
    "appeal_desk.copy": (copy_appeal, "appeal.copied"),
    "poll_desk.new_post": (new_poll, "poll.drafted"),
    "poll_desk.edit_post": (edit_poll, "poll.changed"),
    "poll_desk.open_poll": (open_poll, "poll.opened"),
    "poll_desk.cancel_post": (cancel_poll, "poll.cancelled"),
    "poll_desk.skip_post": (skip_winner, "poll.skipped"),
}  # fmt: skip
# Forms that change nothing, and why they are forms at all.
CHANGES_NOTHING = {
    "poll_desk.preview_post": "its buttons move a ranking, as a voter's do; nothing is kept",
    "catalogue.test": "an example goes to whoever asked for it, and to nobody else",
    "settings.look": "says what typed values would mean, before anything is saved",
}


@contextmanager
def at_the_right_time(endpoint: str):
    """The polls of the factories run in one week of November; everything else happens now."""
    if endpoint.startswith("poll_desk."):
        with time_machine.travel(NOW, tick=False):
            yield
    else:
        yield
