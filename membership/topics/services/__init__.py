"""Use cases of topics: proposing and following by members, what staff do with them, what polls decide."""

from membership.topics.services.deciding import (
    back_to_shortlist,
    choose,
    decline,
    not_choose,
    put_on_ballot,
    shortlist,
    show_words,
)
from membership.topics.services.following import follow, resume_news, stop_news, unfollow
from membership.topics.services.merging import merge, unmerge
from membership.topics.services.proposing import edit, propose
from membership.topics.services.reporting import assign, drop, publish, take_back, update

__all__ = [
    "assign",
    "back_to_shortlist",
    "choose",
    "decline",
    "drop",
    "edit",
    "follow",
    "merge",
    "not_choose",
    "propose",
    "publish",
    "put_on_ballot",
    "resume_news",
    "shortlist",
    "show_words",
    "stop_news",
    "take_back",
    "unfollow",
    "unmerge",
    "update",
]
