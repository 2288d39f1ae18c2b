"""Use cases of topics on both databases: who decides, who follows, who is told, and what may not go wrong together."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from membership.db import db
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput, NotFound
from membership.mail.models import Broadcast
from membership.topics import queries, services
from membership.topics.models import Topic, TopicEvent, TopicFollower
from membership.topics.rules import NEXT, Stage
from tests.factories.people import make_person
from tests.factories.topics import TITLE, WHY, make_topic, make_topic_at

REASON = "We reported this in May."


def kinds_of(topic):
    return [event.kind for event in queries.events_of([topic.id])]


def told():
    """What was told to whom, in order: (mail, audience)."""
    rows = db.session.scalars(select(Broadcast).order_by(Broadcast.id))
    return list(dict.fromkeys((row.kind, row.audience, row.once_key) for row in rows))


def at_once(app, jobs):
    """Run the jobs at the same moment, each with a session of its own; how many went through."""

    def run(job):
        with app.app_context(), suppress(Conflict):
            job()
            return 1
        return 0

    with ThreadPoolExecutor(len(jobs)) as pool:
        done = sum(pool.map(run, jobs))
    db.session.rollback()
    return done


# Proposing ----------------------------------------------------------------------------------------------


def test_a_proposal_waits_for_staff_and_its_proposer_follows_it(app, crowd):
    topic = make_topic(proposer=crowd[0], links=["https://example.org/a"])
    assert (topic.stage, topic.n_followers, queries.n_followers(topic.id)) == ("proposed", 1, 1)
    assert topic.links == ["https://example.org/a"]
    assert kinds_of(topic) == ["proposed"]
    assert told() == []


def test_the_same_proposal_sent_twice_at_once_is_one(app, crowd):
    person_id = crowd[0].id
    send = lambda: services.propose(person_id, TITLE, WHY, [], "en", clock.now())  # noqa: E731 - eight of the same
    at_once(app, [send] * 8)
    assert db.session.scalar(select(func.count()).select_from(Topic)) == 1
    assert make_topic(proposer=crowd[1]).id != make_topic(proposer=crowd[0]).id, "two people may ask the same"


@pytest.mark.parametrize("change", [{"title": "x"}, {"why": " "}, {"links": ["javascript:alert(1)"]}])
def test_nothing_is_written_of_what_the_rules_refuse(app, crowd, change):
    with pytest.raises(InvalidInput):
        make_topic(proposer=crowd[0], **change)
    assert db.session.scalar(select(func.count()).select_from(Topic)) == 0


def test_words_change_only_while_nobody_can_vote_on_them(app, editor):
    topic = make_topic_at("shortlisted")
    services.edit(topic.id, "Where does the dredging money go?", WHY, 40, editor.id)
    services.edit(topic.id, "Where does the dredging money go?", WHY, 40, editor.id)
    assert (topic.hours, kinds_of(topic)) == (40, ["proposed", "shortlisted", "edited"])
    assert [found.topic.id for found in queries.similar("dredging money", 5)] == [topic.id]
    services.put_on_ballot(topic.id, 1, clock.now())
    with pytest.raises(Conflict, match="no longer"):
        services.edit(topic.id, TITLE, WHY, 40, editor.id)


# Stages -------------------------------------------------------------------------------------------------

ACTIONS = {
    "shortlist": lambda topic, staff: services.shortlist(topic.id, staff.id),
    "decline": lambda topic, staff: services.decline(topic.id, REASON, staff.id),
    "back": lambda topic, staff: services.back_to_shortlist(topic.id, REASON, staff.id),
    "off ballot": lambda topic, staff: services.back_to_shortlist(topic.id, REASON, None, poll_id=1),
    "ballot": lambda topic, staff: services.put_on_ballot(topic.id, 1, clock.now()),
    "choose": lambda topic, staff: services.choose(topic.id, 1, clock.now()),
    "not choose": lambda topic, staff: services.not_choose(topic.id, 1, clock.now()),
    "assign": lambda topic, staff: services.assign(topic.id, staff.id, date(2027, 5, 1), staff.id),
    "publish": lambda topic, staff: services.publish(topic.id, "https://example.org/s", "A story", staff.id),
    "take back": lambda topic, staff: services.take_back(topic.id, REASON, staff.id),
    "drop": lambda topic, staff: services.drop(topic.id, REASON, staff.id),
    "merge": lambda topic, staff: services.merge(
        topic.id, make_topic_at("shortlisted", "Another matter altogether").id, staff.id
    ),
    "unmerge": lambda topic, staff: services.unmerge(topic.id, staff.id),
}


@pytest.mark.parametrize("stage", list(Stage))
def test_from_every_stage_actions_lead_only_where_the_table_says_and_all_of_it_is_reached(app, editor, stage):
    reached = set()
    for n, (name, act) in enumerate(ACTIONS.items()):
        topic = make_topic_at(stage, f"A topic for trying number {n} at its stage", owner=editor)
        with suppress(Conflict):
            act(topic, editor)
        db.session.expire_all()
        if topic.stage != stage:
            reached.add(Stage(topic.stage))
            assert Stage(topic.stage) in NEXT[stage], name
    came_from = {Stage.SHORTLISTED} if stage is Stage.MERGED else NEXT[stage]
    assert reached == came_from


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        ("shortlisted", "shortlist"), ("declined", "decline"), ("shortlisted", "back"), ("on_ballot", "ballot"),
        ("chosen", "choose"), ("not_chosen", "not choose"), ("reporting", "take back"), ("dropped", "drop"),
        ("proposed", "unmerge"),
    ],
)  # fmt: skip
def test_the_same_again_changes_nothing_and_tells_nobody(app, editor, stage, action):
    topic = make_topic_at(stage, owner=editor)
    before = kinds_of(topic), told()
    ACTIONS[action](topic, editor)
    assert (kinds_of(topic), told()) == before


def test_a_ballot_is_left_only_with_its_own_poll(app, editor):
    topic = make_topic_at("on_ballot", poll_id=7)
    with pytest.raises(Conflict):
        services.put_on_ballot(topic.id, 8, clock.now())
    with pytest.raises(Conflict):
        services.back_to_shortlist(topic.id, REASON, editor.id)
    with pytest.raises(Conflict):
        services.back_to_shortlist(topic.id, REASON, None, poll_id=8)
    services.back_to_shortlist(topic.id, REASON, None, poll_id=7, tell=False)
    assert topic.stage == "shortlisted"
    assert told()[-1][0:2] == ("topics/stage", "topics.followers")
    assert len(told()) == 1, "told once, of the shortlist; not that its poll was cancelled"


def test_each_step_is_told_once_to_those_whom_it_concerns(app, editor):
    topic = make_topic_at("chosen")
    services.assign(topic.id, editor.id, date(2027, 5, 1), editor.id)
    services.assign(topic.id, editor.id, date(2027, 6, 1), editor.id)
    services.update(topic.id, "We read on.", editor.id)
    services.update(topic.id, "We read on.", editor.id)
    services.publish(topic.id, "https://example.org/s", "A story", editor.id)
    services.publish(topic.id, "https://example.org/t", "A story", editor.id)
    assert [row[:2] for row in told()] == [
        ("topics/stage", "topics.followers"),  # shortlisted
        ("topics/stage", "topics.followers"),  # chosen: voters hear it from the poll
        ("topics/stage", "topics.stage"),  # reported
        ("topics/update", "topics.stage"),
        ("topics/stage", "topics.stage"),  # published
    ]
    assert kinds_of(topic)[-5:] == ["reporting", "owner", "update", "published", "edited"]
    assert len({key for *_, key in told()}) == 5


def test_polls_may_tell_by_themselves_and_voters_where_it_moved_up(app):
    quiet, moved_up = make_topic_at("on_ballot"), make_topic_at("not_chosen", "Night buses to the suburbs")
    n_told = len(told())
    services.choose(quiet.id, 1, clock.now(), tell=False)
    assert len(told()) == n_told
    services.choose(moved_up.id, 1, clock.now(), to_voters=True)
    assert told()[-1][:2] == ("topics/stage", "topics.stage")


def test_who_reports_it_is_on_the_staff(app, crowd):
    topic = make_topic_at("chosen")
    with pytest.raises(InvalidInput):
        services.assign(topic.id, crowd[0].id, date(2027, 5, 1), None)


def test_a_story_taken_back_leaves_nothing_behind(app, editor):
    topic = make_topic_at("published", owner=editor)
    services.take_back(topic.id, "It was the story of another topic.", editor.id)
    assert (topic.stage, topic.story_url, topic.story_title, topic.published_at) == ("reporting", None, None, None)


@pytest.mark.parametrize("change", ["UPDATE topic_events SET words = 'x'", "DELETE FROM topic_events"])
def test_nobody_rewrites_what_happened(app, change):
    make_topic()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(change))
    db.session.rollback()


# Following and merging ----------------------------------------------------------------------------------


def count(topic):
    """The kept number of followers, which must be the counted one."""
    db.session.expire_all()
    assert topic.n_followers == queries.n_followers(topic.id)
    return topic.n_followers


def followers(topic, **args):
    people, after = [], 0
    while part := queries.followers_after({"topic_id": topic.id} | args, after, 3):
        people += part
        after = part[-1].person_id
    assert [one.person_id for one in people] == sorted({one.person_id for one in people})
    return [one.email for one in people]


def test_following_counts_once_and_can_be_taken_back(app, crowd):
    topic = make_topic_at("shortlisted")
    for person in (crowd[0], crowd[1], crowd[0]):
        services.follow(topic.id, person.id)
    assert count(topic) == 2
    for _ in range(2):
        services.unfollow(topic.id, crowd[0].id)
    assert count(topic) == 1
    assert followers(topic) == [crowd[1].email]


def test_nobody_follows_what_they_may_not_see(app, crowd):
    topic = make_topic(proposer=crowd[0])
    with pytest.raises(NotFound):
        services.follow(topic.id, crowd[1].id)
    services.unfollow(topic.id, crowd[0].id)
    services.follow(topic.id, crowd[0].id)
    assert count(topic) == 1


def test_many_taps_at_once_count_right(app, crowd):
    topic_id, ids = make_topic_at("shortlisted").id, [person.id for person in crowd]
    follow = [lambda person_id=person_id: services.follow(topic_id, person_id) for person_id in ids * 3]
    assert at_once(app, follow) == 24
    assert count(queries.get(topic_id)) == 8
    unfollow = [lambda person_id=person_id: services.unfollow(topic_id, person_id) for person_id in ids[:3] * 3]
    assert at_once(app, unfollow) == 9
    assert count(queries.get(topic_id)) == 5


def family_of_three(crowd):
    """Three topics with followers 0-2, 2-4 and 4-5."""
    topics = [make_topic_at("shortlisted", f"Matter number {name}") for name in ("one", "two", "three")]
    for topic, people in zip(topics, (crowd[:3], crowd[2:5], crowd[4:6]), strict=True):
        for person in people:
            services.follow(topic.id, person.id)
    return topics


def test_a_person_counts_once_in_a_family_and_unmerging_gives_everybody_back(app, editor, crowd):
    one, two, three = family_of_three(crowd)
    services.merge(two.id, one.id, editor.id)
    assert count(one) == 5
    services.merge(three.id, two.id, editor.id)
    assert three.merged_into_id == one.id, "what is merged already leads on to where it went"
    assert count(one) == 6
    assert followers(one) == [person.email for person in crowd[:6]]
    assert queries.followed_among([one.id], crowd[5].id) == {one.id}
    services.unmerge(two.id, editor.id)
    assert (count(one), count(two), two.stage) == (5, 3, "shortlisted")
    services.unmerge(three.id, editor.id)
    assert (count(one), count(two), count(three)) == (3, 3, 2)


def test_a_family_moves_as_a_whole_and_comes_back_as_a_whole(app, editor, crowd):
    one, two, three = family_of_three(crowd)
    services.merge(three.id, two.id, editor.id)
    services.merge(two.id, one.id, editor.id)
    assert queries.root_of(three).id == one.id
    assert count(one) == 6
    services.follow(three.id, crowd[7].id)
    services.unfollow(one.id, crowd[4].id)  # who followed two and three
    assert count(one) == 6
    services.unmerge(two.id, editor.id)
    assert (count(one), count(two)) == (4, 3)
    assert queries.root_of(three).id == two.id


def test_merging_tells_both_groups_each_person_once(app, editor, crowd):
    one, two, _ = family_of_three(crowd)
    services.merge(two.id, one.id, editor.id)
    row = db.session.scalar(select(Broadcast).where(Broadcast.kind == "topics/merged"))
    assert followers(two, **row.args) == [person.email for person in crowd[:5]]
    services.unmerge(two.id, editor.id)
    row = db.session.scalar(select(Broadcast).where(Broadcast.kind == "topics/merged").order_by(Broadcast.id.desc()))
    assert followers(two, **row.args) == [person.email for person in crowd[:5]]
    assert [kind for kind, *_ in told()].count("topics/merged") == 2


def test_merging_refuses_rings_third_parties_and_what_is_over(app, editor):
    one, two = make_topic_at("shortlisted"), make_topic_at("shortlisted", "Matter number two")
    three, over = make_topic_at("proposed", "Matter number three"), make_topic_at("declined", "Matter number four")
    for topic, into, code in (
        (one, one, "merge_into_itself"),
        (one, over, "merge_target_closed"),
        (one, three, "merge_target_closed"),
    ):
        with pytest.raises(Conflict) as error:
            services.merge(topic.id, into.id, editor.id)
        assert error.value.code == code
    services.merge(one.id, two.id, editor.id)
    services.merge(one.id, two.id, editor.id)
    assert kinds_of(one).count("merged") == 1
    services.shortlist(three.id, editor.id)
    for topic, into, code in ((two, one, "merge_into_itself"), (one, three, "merged_elsewhere")):
        with pytest.raises(Conflict) as error:
            services.merge(topic.id, into.id, editor.id)
        assert error.value.code == code


def test_mergers_at_once_make_no_ring_and_lose_no_follower(app, editor, crowd):
    topics = family_of_three(crowd)
    one, two, three = (topic.id for topic in topics)
    pairs = [(one, two), (two, three), (three, one), (two, one), (three, two), (one, three)]
    jobs = [lambda a=a, b=b: services.merge(a, b, None) for a, b in pairs]
    jobs += [lambda person_id=person.id: services.follow(two, person_id) for person in crowd[6:]]
    at_once(app, jobs)
    roots = {queries.root_of(queries.get(topic_id)).id for topic_id in (one, two, three)}
    assert len(roots) == 1
    assert count(queries.get(roots.pop())) == 8


def test_merging_twice_at_once_is_once(app, editor):
    one, two = make_topic_at("shortlisted").id, make_topic_at("shortlisted", "Matter number two").id
    assert at_once(app, [lambda: services.merge(one, two, None)] * 6) == 6
    assert kinds_of(queries.get(one)).count("merged") == 1


# Mails that were stopped --------------------------------------------------------------------------------


def test_who_stopped_the_mails_still_counts_and_is_not_told(app, crowd):
    topic = make_topic_at("shortlisted")
    for person in crowd[:3]:
        services.follow(topic.id, person.id)
    for _ in range(2):
        services.stop_news(topic.id, crowd[1].id)
    assert followers(topic) == [crowd[0].email, crowd[2].email]
    assert count(topic) == 3
    services.resume_news(topic.id, crowd[1].id)
    assert len(followers(topic)) == 3
    services.stop_news(topic.id, crowd[1].id)
    services.follow(topic.id, crowd[1].id)
    assert len(followers(topic)) == 3, "following again is wanting to hear again"


def test_stopped_mails_stay_stopped_in_the_family(app, editor, crowd):
    one, two, _ = family_of_three(crowd)
    services.stop_news(two.id, crowd[3].id)
    services.merge(two.id, one.id, editor.id)
    assert crowd[3].email not in followers(one)


def test_who_is_disabled_gets_nothing(app):
    topic, gone = make_topic_at("shortlisted"), make_person("gone@example.org", disabled_at=clock.now())
    services.follow(topic.id, gone.id)
    assert followers(topic) == []


def test_a_part_of_followers_is_never_empty_while_there_are_more(app, crowd):
    topic = make_topic_at("shortlisted")
    for person in crowd:
        services.follow(topic.id, person.id)
    for person in crowd[:6]:
        services.stop_news(topic.id, person.id)
    assert followers(topic) == [crowd[6].email, crowd[7].email]


def test_following_rows_name_nobody_twice(app, crowd):
    topic = make_topic_at("shortlisted", proposer=crowd[0])
    services.follow(topic.id, crowd[0].id)
    assert db.session.scalar(select(func.count()).select_from(TopicFollower)) == 1
    assert db.session.scalar(select(func.count()).select_from(TopicEvent)) == 2, "a follow is no public event"
