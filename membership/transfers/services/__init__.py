"""Use cases of transfers: announce, read a statement in, match, book, undo, forget."""

from membership.transfers.services.announcing import announce, announce_again, lapse, remind, withdraw
from membership.transfers.services.booking import assign, assign_return, book_certain, confirm, ignore, reopen, undo
from membership.transfers.services.by_hand import book_announced, book_by_hand, give_back, undo_payment
from membership.transfers.services.importing import Report, read_in
from membership.transfers.services.leaving import erase_person, forget, hold_lines, merge_people
from membership.transfers.services.mapping import forget_mapping, save_mapping
from membership.transfers.services.matching import suggest_all
from membership.transfers.services.posting import Decision, left_of

__all__ = [
    "Decision",
    "Report",
    "announce",
    "announce_again",
    "assign",
    "assign_return",
    "book_announced",
    "book_by_hand",
    "book_certain",
    "confirm",
    "erase_person",
    "forget",
    "forget_mapping",
    "give_back",
    "hold_lines",
    "ignore",
    "lapse",
    "left_of",
    "merge_people",
    "read_in",
    "remind",
    "reopen",
    "save_mapping",
    "suggest_all",
    "undo",
    "undo_payment",
    "withdraw",
]
