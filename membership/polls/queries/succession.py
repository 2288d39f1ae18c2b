"""Who moves up when an editor passes over a winner."""

from membership.db import db
from membership.polls.models import Poll, PollOption
from membership.polls.queries.polls import list_skips, options_of, result_of
from membership.topics.models import Topic
from membership.topics.rules import Stage


def find_next_up(poll: Poll) -> PollOption | None:
    """The option that moves up next: the first in the order of the count that did not win, was not passed over and
    whose topic is still free; None where there is none left, or no result.
    """
    result = result_of(poll.id)
    if result is None:
        return None
    options = {option.position: option for option in options_of(poll.id)}
    skips = list_skips(poll.id)
    taken = {skip.topic_id for skip in skips} | {skip.moved_up_id for skip in skips}
    for position in result.count["order"]:
        option = options[int(position)]
        if position in result.count["winners"] or option.topic_id in taken:
            continue
        if db.session.get_one(Topic, option.topic_id).stage == Stage.NOT_CHOSEN:
            return option
    return None
