"""Use cases of accounts: people and what happened to them, signing in, staying signed in, the staff; another address,
two people who are one, somebody who leaves for good. The second factor of staff stands in `factors` and `passkeys`.
"""

from membership.accounts.services.addresses import (
    change_address,
    find_offer,
    forget_changes,
    join_accounts,
    read_undo,
    tell_followers,
    undo_change,
    undo_token,
)
from membership.accounts.services.desk import Method, close_desks, end_session, enter, staff_name, touch_desk
from membership.accounts.services.erasing import begin_erasure, erase_due, erase_self, refuse_while_undoable
from membership.accounts.services.merging import check_merge, clean_reason, merge, survivor
from membership.accounts.services.people import choose_locale, ensure_person, note
from membership.accounts.services.proving import ask_proof, issue_proof
from membership.accounts.services.signin import Secrets, SignedIn, ask, issue_secrets, use_code, use_link
from membership.accounts.services.staff import appoint, change_role, dismiss, invite
from membership.accounts.services.staying import forget, keep_data, renew, sign_out, sign_out_everywhere, touch

__all__ = [
    "Method",
    "Secrets",
    "SignedIn",
    "appoint",
    "ask",
    "ask_proof",
    "begin_erasure",
    "change_address",
    "change_role",
    "check_merge",
    "choose_locale",
    "clean_reason",
    "close_desks",
    "dismiss",
    "end_session",
    "ensure_person",
    "enter",
    "erase_due",
    "erase_self",
    "find_offer",
    "forget",
    "forget_changes",
    "invite",
    "issue_proof",
    "issue_secrets",
    "join_accounts",
    "keep_data",
    "merge",
    "note",
    "read_undo",
    "refuse_while_undoable",
    "renew",
    "sign_out",
    "sign_out_everywhere",
    "staff_name",
    "survivor",
    "tell_followers",
    "touch",
    "touch_desk",
    "undo_change",
    "undo_token",
    "use_code",
    "use_link",
]
