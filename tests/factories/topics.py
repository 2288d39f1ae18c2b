"""Topics at every stage, taken there by the services, as staff and polls would."""

from datetime import date

from membership.kernel import clock
from membership.topics import services
from membership.topics.models import Topic
from membership.topics.rules import Stage

TITLE = "Where do the dredging contracts go?"
WHY = "The port pays for dredging every year.\n\nNobody knows who bids, and who wins."
STORY = ("https://example.org/dredging", "Ten years of dredging, one bidder")


def make_topic(title=TITLE, why=WHY, proposer=None, links=(), locale="en") -> Topic:
    """A proposal that waits for staff."""
    return services.propose(proposer.id if proposer else None, title, why, list(links), locale, clock.now())


def make_topic_at(stage, title=TITLE, proposer=None, owner=None, poll_id=1, **changes) -> Topic:
    """A topic that was led to `stage` step by step; `owner` (staff) is needed from "reporting" on."""
    topic = make_topic(title, proposer=proposer, **changes)
    for step in ways_to(Stage(stage)):
        _take(topic, step, owner, poll_id)
    return topic


def ways_to(stage: Stage) -> list[Stage]:
    on_ballot = [Stage.SHORTLISTED, Stage.ON_BALLOT]
    return {
        Stage.PROPOSED: [],
        Stage.SHORTLISTED: [Stage.SHORTLISTED],
        Stage.DECLINED: [Stage.DECLINED],
        Stage.MERGED: [Stage.SHORTLISTED, Stage.MERGED],
        Stage.ON_BALLOT: on_ballot,
        Stage.NOT_CHOSEN: [*on_ballot, Stage.NOT_CHOSEN],
        Stage.CHOSEN: [*on_ballot, Stage.CHOSEN],
        Stage.REPORTING: [*on_ballot, Stage.CHOSEN, Stage.REPORTING],
        Stage.PUBLISHED: [*on_ballot, Stage.CHOSEN, Stage.REPORTING, Stage.PUBLISHED],
        Stage.DROPPED: [*on_ballot, Stage.CHOSEN, Stage.DROPPED],
    }[stage]


def _take(topic, step, owner, poll_id) -> None:
    now = clock.now()
    match step:
        case Stage.SHORTLISTED:
            services.shortlist(topic.id, None)
        case Stage.DECLINED:
            services.decline(topic.id, "We reported this in May.", None)
        case Stage.MERGED:
            services.merge(topic.id, make_topic_at(Stage.SHORTLISTED, "Quite another matter, taken together").id, None)
        case Stage.ON_BALLOT:
            services.put_on_ballot(topic.id, poll_id, now)
        case Stage.CHOSEN:
            services.choose(topic.id, poll_id, now)
        case Stage.NOT_CHOSEN:
            services.not_choose(topic.id, poll_id, now)
        case Stage.REPORTING:
            services.assign(topic.id, owner.id, date(2027, 4, 30), owner.id)
        case Stage.PUBLISHED:
            services.publish(topic.id, *STORY, actor=None)
        case Stage.DROPPED:
            services.drop(topic.id, "The court has sealed the papers.", None)
