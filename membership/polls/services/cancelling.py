"""Giving a poll up, with a public reason: nobody will ever know what was on its ballots."""

from membership.db import db, take_time, transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict, InvalidInput
from membership.kernel.words import one_line
from membership.polls import keys
from membership.polls.models import Poll
from membership.polls.queries.polls import options_of
from membership.polls.services.closing import forget_ballots
from membership.polls.services.drafting import locked, log
from membership.polls.services.trouble import Trouble
from membership.topics import services as topics

LONGEST_REASON = 500

# What everybody reads where the clock cancels a poll.
REASONS = {
    Trouble.KEY_MISSING: "The key that opens the ballots was lost, so they can never be counted.",
    Trouble.ROLLED_BACK: "The database was put back to an earlier state, so ballots may be missing.",
}


def cancel(poll_id: int, reason: str, actor: int | None) -> Poll:
    """End a draft or an open poll without a result, with a public reason; its topics go back to the shortlist.

    Ballots and key are destroyed. InvalidInput `reason_missing`; Conflict `poll_is_over` where it is closed. Twice is
    once.
    """
    reason = one_line(reason)
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise InvalidInput(
            "reason_missing", "Give a reason of at most 500 characters; everybody reads it.", field="reason"
        )
    with transaction("polls.cancel"):
        take_time()
        poll = locked(poll_id)
        if poll.state == "closed":
            raise Conflict("poll_is_over", "This poll has been counted.")
        if poll.state != "cancelled":
            before, was_open = poll.state, poll.state == "open"
            poll.state, poll.cancelled_at = "cancelled", clock.now()
            poll.cancel_reason, poll.cancelled_by_id = reason, actor
            log(poll, "cancelled", actor, reason=reason, before={"state": before})
            forget_ballots(poll.id)
            if was_open:
                for option in sorted(options_of(poll.id), key=lambda each: each.topic_id):
                    topics.back_to_shortlist(option.topic_id, reason, actor, poll_id=poll.id)
        name = poll.public_id
    keys.destroy(name)
    db.session.refresh(poll)
    return poll
