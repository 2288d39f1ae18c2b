"""Opening a poll: who is on the roll, what is frozen, what is refused afterwards, also to the database's owner."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from membership.db import db, transaction
from membership.kernel.errors import Conflict, InvalidInput
from membership.mail.models import Broadcast
from membership.patrons import services as patrons
from membership.patrons.models import CoverageGrant
from membership.patrons.rules import Cause
from membership.polls import jobs, keys, queries, services
from membership.polls.models import ChainLink, Poll, PollOption, RollEntry
from membership.polls.rules import lot_order, shown_order
from membership.polls.services import PollFields
from membership.topics import services as topics
from membership.topics.models import Topic
from tests.factories.people import make_person
from tests.factories.polls import (
    CLOSES,
    NOW,
    OPENS,
    cast_ballot,
    close_poll,
    make_draft,
    make_patron,
    make_poll,
    make_topics,
    refund,
)

pytestmark = pytest.mark.usefixtures("app")


def roll(poll) -> set[int]:
    return set(db.session.scalars(select(RollEntry.person_id).where(RollEntry.poll_id == poll.id)))


def test_the_roll_holds_who_is_covered_by_money_that_came_and_stayed():
    paid, given = make_patron(), make_patron("given@example.org", cause=Cause.GIFT)
    make_patron("comp@example.org", cause=Cause.COMP)
    make_patron("over@example.org", ends_at=NOW)
    make_patron("late@example.org", starts_at=NOW + timedelta(days=1))
    make_patron("disabled@example.org", disabled_at=NOW)
    make_person("reader@example.org")
    refund(make_patron("refunded@example.org"), NOW - timedelta(days=1))
    unpaid = make_person("discount@example.org")  # a grant behind which there is no payment: a whole discount
    patrons.grant_months(unpaid.id, Cause.PAID, "payment:in_of_nothing", paid_at=NOW, n_months=3)
    in_grace = make_patron("grace@example.org", ends_at=NOW - timedelta(days=1))
    patrons.open_grace(in_grace.id, "con_9", opened_at=NOW - timedelta(days=1), days=14)
    poll = make_poll()
    assert roll(poll) == {paid.id, given.id}
    assert poll.n_roll == 2
    grant = db.session.get(RollEntry, (poll.id, paid.id)).grant_id
    assert db.session.get(CoverageGrant, grant).person_id == paid.id


def test_a_wider_roll_takes_comps_as_well():
    paid, comp = make_patron(), make_patron("comp@example.org", cause=Cause.COMP)
    assert roll(make_poll(eligibility="covered")) == {paid.id, comp.id}


def test_who_became_a_patron_after_the_cut_off_is_not_on_the_roll():
    olena = make_patron(paid_at=NOW - timedelta(days=30))
    make_patron("late@example.org", paid_at=NOW - timedelta(days=3))
    again = make_patron("again@example.org", paid_at=NOW - timedelta(days=30))
    refund(again, NOW - timedelta(days=20))
    make_patron("again@example.org", paid_at=NOW - timedelta(days=3))
    assert roll(make_poll(joined_before=NOW - timedelta(days=10))) == {olena.id}


def test_a_poll_without_anybody_on_its_roll_is_not_opened_and_its_key_is_swept():
    draft = make_draft()
    with pytest.raises(Conflict, match="Nobody could vote"):
        services.open_poll(draft.id, None, NOW)
    assert db.session.get_one(Poll, draft.id).state == "draft"
    jobs.wipe(NOW)
    assert list(keys.list_polls()) == []


def test_the_key_lies_in_a_private_file_and_nowhere_in_the_database(app, settings):
    make_patron()
    poll = make_poll()
    file = keys.folder() / f"{poll.public_id}.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.folder().stat().st_mode & 0o777 == 0o700
    assert len(file.read_bytes()) == 32


def test_texts_and_orders_are_fixed_when_it_opens_and_everybody_is_told():
    olena = make_patron()
    draft = make_draft(n_options=5)
    first = queries.options_of(draft.id)[0]
    topics.edit(first.topic_id, "A better title for this topic", "Because of this.", 10, None)
    poll = services.open_poll(draft.id, None, NOW)
    options = queries.options_of(poll.id)
    assert options[0].title == "A better title for this topic"
    assert [option.position for option in options] == [0, 1, 2, 3, 4]
    assert {db.session.get(Topic, option.topic_id).stage for option in options} == {"on_ballot"}
    assert sorted(lot_order(poll.lot_seed, 5)) == sorted(shown_order(poll.order_seed, olena.public_id, 5))
    assert db.session.scalars(select(Broadcast.once_key)).all() == [f"poll-opened:{poll.id}"]
    assert queries.head_of(poll.id)[0] == 0


def test_it_is_opened_once_and_never_changed_by_us_afterwards():
    make_patron()
    poll = make_poll()
    with pytest.raises(Conflict, match="opened already"):
        services.open_poll(poll.id, None, NOW)
    fields = PollFields("Other", "", "en", "spav", 1, OPENS, CLOSES, tuple(make_topics(2)))
    with pytest.raises(Conflict, match="cannot be changed"):
        services.change(poll.id, fields)
    with pytest.raises(Conflict):  # its topics are on a ballot
        make_poll(topic_ids=tuple(option.topic_id for option in queries.options_of(poll.id)))


FROZEN = (
    "UPDATE polls SET title = 'Another question'",
    "UPDATE polls SET rule = 'approval'",
    "UPDATE polls SET n_seats = 1",
    "UPDATE polls SET closes_at = opens_at",
    "UPDATE polls SET eligibility = 'covered'",
    "UPDATE polls SET publish_from = 5",
    "UPDATE polls SET lot_seed = 'mine'",
    "UPDATE polls SET roll_digest = NULL",
    "UPDATE polls SET state = 'draft'",
    "DELETE FROM polls",
    "UPDATE poll_options SET title = 'Another topic' WHERE position = 0",
    "UPDATE poll_options SET hours = 1",
    "DELETE FROM poll_options WHERE position = 3",
    "INSERT INTO poll_options (poll_id, topic_id, position, title, why) SELECT id, 1, 9, 'x', 'y' FROM polls",
    "UPDATE chain_links SET head = 'x'",
    "DELETE FROM chain_links",
    "UPDATE ballot_commitments SET commitment = 'x'",
    "DELETE FROM ballot_commitments",
)


@pytest.mark.parametrize("statement", FROZEN)
def test_the_database_refuses_to_change_an_opened_poll(statement):
    olena = make_patron()
    cast_ballot(make_poll(), olena, [1])
    with pytest.raises(DatabaseError, match=r"frozen|append-only"), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_closed_poll_stays_closed():
    make_patron()
    close_poll(make_poll())
    with pytest.raises(DatabaseError, match="frozen"), db.engine.begin() as connection:
        connection.execute(text("UPDATE polls SET state = 'open'"))


def test_a_draft_can_be_changed_in_everything_and_given_up():
    draft = make_draft()
    fields = PollFields("Other question", "", "uk", "plurality", 1, OPENS, CLOSES, tuple(make_topics(3)))
    services.change(draft.id, fields)
    assert [o.position for o in queries.options_of(draft.id)] == [0, 1, 2]
    assert services.cancel(draft.id, "We have thought better of it.", None).state == "cancelled"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"rule": "borda"}, "rule"),
        ({"closes_at": OPENS}, "closes_at"),
        ({"topic_ids": (1,)}, "topic_ids"),
        ({"topic_ids": (1, 1)}, "topic_ids"),
        ({"topic_ids": tuple(range(1, 32))}, "topic_ids"),
        ({"topic_ids": (1, 999)}, "topic_ids"),
        ({"n_seats": 5}, "n_seats"),
        ({"n_seats": 0}, "n_seats"),
        ({"max_ranks": 2}, "max_ranks"),
        ({"rule": "equal-shares"}, "budget_hours"),
        ({"eligibility": "all"}, "eligibility"),
        ({"publish_from": 4}, "publish_from"),
    ],
)
def test_a_draft_that_cannot_be_names_the_field(changes, field):
    with pytest.raises(InvalidInput) as invalid:
        make_draft(**changes)
    assert invalid.value.field == field


def test_hours_are_needed_where_hours_are_shared():
    make_patron()
    draft = make_draft(rule="equal-shares", budget_hours=40, topic_ids=tuple(make_topics(3, hours=None)))
    with pytest.raises(InvalidInput) as invalid:
        services.open_poll(draft.id, None, NOW)
    assert invalid.value.code == "poll_hours"


def test_a_poll_that_would_be_over_is_not_opened():
    make_patron()
    with pytest.raises(InvalidInput, match="over before it begins"):
        services.open_poll(make_draft().id, None, CLOSES)


def test_the_first_link_stands_for_everything_that_was_frozen():
    make_patron()
    one, other = make_poll(), make_poll()
    first = {link.poll_id: link.entry for link in db.session.scalars(select(ChainLink))}
    assert first[one.id] != first[other.id]
    assert queries.evidence(one.id)["opening"]["roll_digest"] == one.roll_digest


def test_people_who_pay_from_one_account_are_shown_to_staff():
    from membership.contributions.models import Contribution

    olena, ihor, other = (make_patron(f"{name}@example.org") for name in ("olena", "ihor", "other"))
    with transaction("test.customers"):
        for person, customer in ((olena, "cus_1"), (ihor, "cus_1"), (other, "cus_2")):
            db.session.add(
                Contribution(
                    reference=f"con_{person.id}",
                    form_token=str(person.id),
                    person_id=person.id,
                    email=person.email,
                    locale="en",
                    rhythm="monthly",
                    currency="EUR",
                    gift_minor=400,
                    charge_minor=400,
                    cup_minor=400,
                    state="active",
                    state_at=NOW,
                    created_at=NOW,
                    customer_id=customer,
                )
            )
    assert queries.list_shared_payers(NOW) == [[olena.id, ihor.id]]
    assert queries.list_shared_payers(NOW + timedelta(days=999)) == []


def test_options_are_the_snapshot_of_a_draft_too():
    draft = make_draft(2)
    assert [o.why for o in db.session.scalars(select(PollOption).where(PollOption.poll_id == draft.id))] == [
        "Readers asked about it again and again."
    ] * 2
