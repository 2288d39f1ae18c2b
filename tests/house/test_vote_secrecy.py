"""Nobody at the desk learns who chose what: the same story is told twice with other choices, and all answers compared.

Whoever looks is every role of staff, another voter and a stranger. They open every route that there is, before and
after the close; beside that stand every mail, every log line and every row of the database. What may differ is random
by nature: digests, receipts, form tokens.
"""

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from membership import wiring
from membership.accounts.models import Person
from membership.accounts.rules import Role
from membership.db import db
from membership.kernel import clock
from membership.mail import letters
from membership.mail.catalogue import find_entry
from membership.mail.models import OutboxMail
from membership.polls import keys
from membership.polls.models import Poll
from membership.topics.models import Topic
from tests.factories.people import make_staff, sign_in_halfway
from tests.factories.polls import CLOSES, NOW, cast_ballot, make_patron, make_patrons, make_poll
from tests.house.conftest import rules_of

# Two ballots that nobody else gives.
PLANTED, OTHER = [0, 3, 4], [1]
CROWD = ([2], [2, 1], [0], [], [4, 2], [3], [0, 1])
# Sealed content, and what is random in it: of these tables only the shape is compared.
SEALED = {"sealed_ballots": ["poll_id"], "ballot_commitments": ["poll_id"], "chain_links": ["poll_id", "seq"]}
RANDOM = [
    (re.compile(r'(name="(?:csrf|form)_token"[^>]*value=")[^"]+'), r"\1#"),
    (re.compile(r"\b([0-9a-f]{64}|[0-9a-f]{16}|[0-9a-f]{10})\b"), "#"),  # digests; numbers of requests and errors
    (re.compile(r"(': ')[\w.-]{20,}(?=')"), r"\1#"),  # form tokens in the row of a session
    (re.compile(r"('contribute': ')[\w-]+"), r"\1#"),  # of the form at /contribute, in the row of a session
    (re.compile(r"(milliseconds\W+)[\d.]+"), r"\1#"),
    (re.compile(r'(data-options=")[^"]+'), r"\1#"),  # a question to an authenticator
    (re.compile(r"\b[0-9a-hjkmnp-tv-z]{5}(-[0-9a-hjkmnp-tv-z]{5}){3}\b"), "#"),
]
# Jobs whose work depends on nothing but the database; the others ask the provider or the mail server.
STILL = ("polls.open_due", "polls.link", "polls.remind", "polls.close_due", "polls.wipe", "mail.spread")


# How often and how long, of everything that was asked (see below); a secret of an app that is drawn anew each time, and
# whose picture is now longer, now shorter.
NOT_COMPARED = {"/metrics", "/staff/factor/app"}

# What the walk fills in; addresses that need more are named in the test of what it leaves out.
FILLED_IN = {"public_id", "position"}


class World:
    """A house with an open poll, which can be put back to the moment before the two ballots."""

    def __init__(self, house) -> None:
        self.house = house
        crowd = make_patrons(len(CROWD) + 1)  # the last one does not vote
        self.voters = [make_patron("planted@example.org").id, make_patron("other@example.org").id]
        self.poll_id = make_poll(5, publish_from=5).id
        for person, choice in zip(crowd[:-1], CROWD, strict=True):
            cast_ballot(self.poll, person, choice)
        self.run_jobs(NOW)
        self.watchers = {"nobody": house.test_client()}
        for role in Role:
            make_staff(f"{role.value}@example.org", role.value, role.value)
            self.watchers[role.value] = self._signed_in(f"{role.value}@example.org")
        self.watchers["a voter"] = self._signed_in(db.session.get_one(Person, crowd[0]).email)
        # Their own pages show them their own choice while the poll is open; afterwards these are like everybody's.
        self.themselves = {name: self._signed_in(f"{name}@example.org") for name in ("planted", "other")}
        database = Path(db.engine.url.database)
        self._places = [(place, place.with_suffix(".before")) for place in (database, keys.folder())]
        self._copy(self._places)

    def _signed_in(self, email):
        browser = self.house.test_client()
        # In the demo the desk is open to who has no second factor: so it stays open until the poll closes.
        sign_in_halfway(browser, email)
        return browser

    @property
    def poll(self) -> Poll:
        return db.session.get_one(Poll, self.poll_id, populate_existing=True)

    def _copy(self, places) -> None:
        db.session.remove()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
        for source, target in places:
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
                for left in (f"{target}-wal", f"{target}-shm"):
                    Path(left).unlink(missing_ok=True)

    def vote_again(self, *choices) -> None:
        """Put everything back, then let the two vote, and change their minds once."""
        self._copy([(copy, place) for place, copy in self._places])
        for person, choice in zip(self.voters, choices, strict=True):
            cast_ballot(self.poll, person, [2])
            cast_ballot(self.poll, person, choice)
        self.run_jobs(NOW)

    def run_jobs(self, now) -> None:
        for name in STILL:
            while wiring.JOBS[name].function(now):
                pass

    def paths(self) -> list[str]:
        """Every address of the app that can be opened: each route, filled in with what is there."""
        topics = list(db.session.scalars(select(Topic.public_id)))
        voters = list(db.session.scalars(select(Person.public_id).where(Person.id.in_(self.voters))))
        filled = []
        for rule, _ in rules_of(self.house, "GET"):
            if not rule.arguments <= FILLED_IN or "public_id" not in rule.arguments:
                filled += [rule.rule] if not rule.arguments else []
                continue
            ids = [self.poll.public_id] if "/polls/" in rule.rule else voters if "/people/" in rule.rule else topics
            for public_id in ids:
                for position in range(5) if "position" in rule.arguments else [0]:
                    values = {"public_id": public_id, "position": position}
                    filled.append(rule.build(values, append_unknown=False)[1])
        return sorted(set(filled))

    def answers(self, **also: FlaskClient) -> dict[tuple[str, str], tuple[int, str, str]]:
        """What everybody is answered everywhere, with all headers, without what is random."""
        found = {}
        for who, browser in (self.watchers | also).items():
            for path in self.paths():
                if path in NOT_COMPARED:
                    continue
                answer = browser.get(path)
                headers = "\n".join(f"{name}: {value}" for name, value in answer.headers if name != "Set-Cookie")
                body = answer.get_data(as_text=True)
                found[who, path] = answer.status_code, without_chance(headers), without_chance(body)
        return found

    def mails(self) -> list[str]:
        """Every mail as it would leave now."""
        written = []
        for row in db.session.scalars(select(OutboxMail).order_by(OutboxMail.id)):
            context = find_entry(row.kind).build(row.args, clock.now())
            letter = letters.write(find_entry(row.kind), context, row.locale) if context else None
            written.append(without_chance(f"{row.kind} {row.to_address} {letter}"))
        return written

    def tables(self) -> dict[str, list[str]]:
        """Every row of every table, without what is random; of sealed content its shape only."""
        found = {}
        for table in db.metadata.sorted_tables:
            columns = [table.c[name] for name in SEALED.get(table.name, [column.name for column in table.c])]
            rows = db.session.execute(select(*columns)).all()
            found[table.name] = sorted(without_chance(repr(row)) for row in rows)
        lengths = db.session.execute(select(db.metadata.tables["sealed_ballots"].c.sealed)).scalars()
        found["lengths of sealed ballots"] = sorted(str(len(sealed)) for sealed in lengths)
        return found


def without_chance(text: str) -> str:
    for pattern, instead in RANDOM:
        text = pattern.sub(instead, text)
    return text


@pytest.fixture(scope="module")
def world(open_house):
    with time_machine.travel(NOW, tick=False), (house := open_house()).app_context():
        yield World(house)


def told(world, caplog, choices, at):
    """Everything that can be seen at `at` where the two chose so."""
    caplog.set_level("DEBUG")
    with time_machine.travel(NOW, tick=False) as traveller:
        caplog.clear()
        world.vote_again(*choices)
        traveller.move_to(at)
        world.run_jobs(at)
        is_over = at >= CLOSES
        seen = {"answers": world.answers(**(world.themselves if is_over else {})), "mails": world.mails()}
        logs = [without_chance(f"{record.name} {record.getMessage()}") for record in caplog.records]
        return seen | {"tables": world.tables(), "logs": logs}


def differences(one, two) -> list[str]:
    if isinstance(one, dict):
        return [f"{name}: {found}" for name in one | two for found in differences(one.get(name), two.get(name))]
    if one == two:
        return []
    if isinstance(one, str) and isinstance(two, str):
        return [f"{a!r} / {b!r}" for a, b in zip(one.splitlines(), two.splitlines(), strict=False) if a != b][:3]
    if isinstance(one, list | tuple) and isinstance(two, list | tuple) and len(one) == len(two):
        return [found for a, b in zip(one, two, strict=True) for found in differences(a, b)]
    return [f"{one!r:.200} / {two!r:.200}"]


def test_before_the_close_nothing_that_anybody_sees_depends_on_any_choice(world, caplog):
    """Not even once the reminders went out: to who has not voted, whatever the others chose."""
    soon = CLOSES - timedelta(hours=47)
    seen = [told(world, caplog, choices, soon) for choices in ((PLANTED, OTHER), (OTHER, PLANTED), ([], OTHER))]
    assert differences(seen[0], seen[1]) == []
    assert differences(seen[0], seen[2]) == []
    assert any("polls/closing" in mail for mail in seen[0]["mails"])


def test_after_the_close_two_voters_who_change_places_change_nothing(world, caplog):
    """The count depends on what was chosen, never on who chose it: so nothing of it joins a member and a choice."""
    seen = [told(world, caplog, choices, CLOSES) for choices in ((PLANTED, OTHER), (OTHER, PLANTED))]
    assert differences(*seen) == []
    assert world.poll.wiped_at is not None
    published = seen[0]["answers"]["nobody", f"/polls/{world.poll.public_id}/ballots.json"]
    assert published[0] == 200


def test_the_figures_for_machines_say_nothing_of_choices(world):
    """They grow with every request, so that they cannot be compared; they have no name of a topic, option or member."""
    world.vote_again(PLANTED, OTHER)
    figures = world.house.test_client().get("/metrics").get_data(as_text=True)
    names = {line.partition("{")[2].partition("}")[0] for line in figures.splitlines() if not line.startswith("#")}
    assert not [name for name in names if "top_" in name or "pol_" in name or "@" in name or "choice" in name]


def test_the_comparison_sees_a_choice_where_there_is_one(world, caplog):
    """The same walk does find what differs after the close, when the two did choose something else."""
    # Two such ballots change the winners whatever the lot, so that the mails differ as well.
    seen = [told(world, caplog, choices, CLOSES) for choices in ((PLANTED, PLANTED), (OTHER, OTHER))]
    where = {found.split(" ")[0] for found in differences(*seen)}
    assert where >= {"answers:", "mails:", "tables:"}


def test_every_route_is_opened_by_every_role(world):
    """What the walk leaves out is named here: addresses that carry a secret or somebody's own number, and the pages and
    style sheets of settings and of what waits for a second owner, which know of no poll.
    """
    left_out = {
        rule.rule
        for rule, _ in rules_of(world.house, "GET")
        if rule.arguments and not ("public_id" in rule.arguments <= FILLED_IN)
    }
    assert left_out == {
        "/account/email/undo/<token>", "/account/receipts/<number>", "/account/receipts/<number>.pdf",
        "/account/statements/<int:year>", "/account/statements/<int:year>.pdf", "/account/support/<reference>",
        "/account/support/<reference>/cancel", "/account/support/<reference>/card/done",
        "/account/support/<reference>/change", "/account/support/<reference>/keep",
        "/account/support/<reference>/pause", "/account/support/<reference>/pay",
        "/account/support/<reference>/resume", "/contribute/confirm/<token>", "/demo/mail/<key>",
        "/demo/mail/<key>/html", "/gift/redeem/<code>", "/lang/<code>", "/mail/stop/<token>", "/signin/link/<token>",
        "/embed/frame/<name>", "/embed/v1-<string(length=16):mark>.js",
        "/staff/factor/passkeys/<int:passkey_id>/remove", "/staff/team/approvals/<approval_id>",
        "/staff/dashboard/<key>", "/staff/dashboard/<key>.csv",
        "/staff/people/<public_id>/comp/<int:grant_id>/revoke", "/staff/people/<public_id>/refund/<number>",
        "/staff/settings/<subject>", "/staff/settings/colours/trial-<six>.css", "/theme-<mark>.css",
        "/staff/people/<public_id>/support/<reference>/<action>", "/staff/statements/<int:line_id>",
        "/staff/statements/receipts/<number>", "/static/<path:filename>", "/support/declared/<reference>",
        "/support/keep/<token>", "/staff/inbox/<event_id>", "/staff/inbox/<event_id>/replay",
        "/staff/mails/<int:outbox_id>", "/staff/mails/<int:outbox_id>/<act>", "/staff/mails/catalogue/<room>/<name>",
        "/staff/mails/catalogue/<room>/<name>/<locale>", "/staff/trouble/<reference>/mail",
    }  # fmt: skip
    assert {role.value for role in Role} < set(world.watchers)
    opened = {path for path in world.paths() if world.watchers["viewer"].get(path).status_code == 200}
    assert {"/staff", "/staff/topics", "/staff/polls", f"/staff/polls/{world.poll.public_id}"} <= opened
    with time_machine.travel(CLOSES, tick=False):
        at_the_close = {path for path in world.paths() if world.watchers["owner"].get(path).status_code == 200}
    assert opened | {"/staff/team", "/staff/audit"} <= at_the_close | {"/account/data"}
