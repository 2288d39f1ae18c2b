"""Reads of polls: `polls` (what there is, my part, results), `roll` and `voters` (who may vote, who is told), `proof`
(what can be checked), `result_page` and `facts` (what a result says), `succession` (who follows a skipped winner).
"""

from membership.polls.queries.polls import (
    MyPart,
    Turnout,
    ballot_paper,
    get_by_public_id,
    head_of,
    list_for_staff,
    list_open,
    list_public,
    list_skips,
    my_part,
    options_of,
    result_of,
    title_of,
    turnout,
    turnouts,
    winners_now,
)
from membership.polls.queries.proof import ReceiptState, evidence, find_receipt, published_ballots, receipt_hashes
from membership.polls.queries.voters import (
    list_shared_payers,
    news_after,
    not_voted_after,
    roll_after,
    voters_of_chosen_topic_after,
)

__all__ = [
    "MyPart",
    "ReceiptState",
    "Turnout",
    "ballot_paper",
    "evidence",
    "find_receipt",
    "get_by_public_id",
    "head_of",
    "list_for_staff",
    "list_open",
    "list_public",
    "list_shared_payers",
    "list_skips",
    "my_part",
    "news_after",
    "not_voted_after",
    "options_of",
    "published_ballots",
    "receipt_hashes",
    "result_of",
    "roll_after",
    "title_of",
    "turnout",
    "turnouts",
    "voters_of_chosen_topic_after",
    "winners_now",
]
