"""What may still happen after the close: the editor passes over a winner; a voter wants no more news."""

from sqlalchemy import update

from membership.db import db, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.kernel.words import one_line
from membership.polls.models import RollEntry, Skip
from membership.polls.queries.polls import options_of, winners_now
from membership.polls.queries.succession import find_next_up
from membership.polls.queries.voters import chosen_last_by
from membership.polls.services.cancelling import LONGEST_REASON
from membership.polls.services.drafting import locked, log
from membership.topics import services as topics


def skip(poll_id: int, topic_id: int, reason: str, actor: int) -> Skip:
    """Pass over a chosen topic with a public reason; the next in the order of the count moves up.

    Conflict `poll_not_closed`, `not_a_winner`, or of the topic where its story is published; InvalidInput
    `reason_missing`. The result stays as it was counted. Twice is once.
    """
    reason = one_line(reason)
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise InvalidInput(
            "reason_missing", "Give a reason of at most 500 characters; everybody reads it.", field="reason"
        )
    with transaction("polls.skip"):
        poll = locked(poll_id)
        if poll.state != "closed":
            raise Conflict("poll_not_closed", "Only what a poll has chosen can be passed over.")
        done = db.session.get(Skip, (poll_id, topic_id))
        if done is not None:
            return done
        by_position = {option.position: option for option in options_of(poll_id)}
        winners = winners_now(poll)
        if topic_id not in {by_position[position].topic_id for position in winners}:
            raise Conflict("not_a_winner", "This topic was not chosen in this poll.")
        if chosen_last_by(topic_id) != poll_id:
            raise Conflict("not_a_winner", "A newer poll chose this topic; it can be passed over only there.")
        topics.drop(topic_id, reason, actor)
        next_up = find_next_up(poll)
        up = next_up.topic_id if next_up is not None else None
        if up is not None:
            topics.choose(up, poll_id, clock.now(), to_voters=True)
        row = Skip(poll_id=poll_id, topic_id=topic_id, reason=reason, actor_id=actor, at=clock.now(), moved_up_id=up)
        db.session.add(row)
        log(poll, "skipped", actor, reason=reason, before={"topic": topic_id}, after={"topic": up})
    return row


def stop_news(poll_id: int, person_id: int) -> None:
    """Tell this person nothing more of what becomes of this poll. Twice is once; not on the roll, nothing is done."""
    _want_news(poll_id, person_id, is_wanted=False)


def resume_news(poll_id: int, person_id: int) -> None:
    """Take `stop_news` back."""
    _want_news(poll_id, person_id, is_wanted=True)


def _want_news(poll_id: int, person_id: int, *, is_wanted: bool) -> None:
    with transaction("polls.want_news"):
        db.session.execute(
            update(RollEntry)
            .where(RollEntry.poll_id == poll_id, RollEntry.person_id == person_id)
            .values(wants_news=is_wanted)
        )
