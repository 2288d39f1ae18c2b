"""The shape of what is sent: ballots and receipts of voters (`ballot`), polls and reasons of the staff (`draft`)."""

from membership.polls.forms.ballot import BallotForm, ReceiptForm, arrange, read_order, words_of
from membership.polls.forms.draft import PollForm, ReasonForm, moment_in

__all__ = [
    "BallotForm",
    "PollForm",
    "ReasonForm",
    "ReceiptForm",
    "arrange",
    "moment_in",
    "read_order",
    "words_of",
]
