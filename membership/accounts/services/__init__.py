"""Use cases of accounts: people and what happened to them, signing in, staying signed in, the staff."""

from membership.accounts.services.people import ensure_person, note
from membership.accounts.services.signin import Secrets, SignedIn, ask, issue_secrets, use_code, use_link
from membership.accounts.services.staff import appoint, dismiss
from membership.accounts.services.staying import forget, keep_data, sign_out, sign_out_everywhere, touch

__all__ = [
    "Secrets",
    "SignedIn",
    "appoint",
    "ask",
    "dismiss",
    "ensure_person",
    "forget",
    "issue_secrets",
    "keep_data",
    "note",
    "sign_out",
    "sign_out_everywhere",
    "touch",
    "use_code",
    "use_link",
]
