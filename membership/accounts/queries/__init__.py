"""Reads of people, sessions, sign-in requests and timelines; of the staff and their second factor."""

from membership.accounts.queries.factors import (
    Factors,
    Found,
    StaffRow,
    Waiting,
    factors_of,
    find_desk_session,
    find_staff_name,
    get_staff,
    get_waiting,
    is_forgotten,
    list_waiting,
    names_of,
    passkey_ids_of,
    staff_rows,
)
from membership.accounts.queries.people import (
    LinkState,
    LiveSession,
    SessionRow,
    addresses_of,
    export_mails,
    export_profile,
    export_sessions,
    export_timeline,
    find_erasure,
    find_live_session,
    find_person_by_email,
    get_by_public_id,
    get_person,
    is_open,
    link_state,
    list_staff,
    n_readers,
    name_staff,
    public_id_of,
    sessions_of,
    timeline,
)
from membership.accounts.rules import masked

__all__ = [
    "Factors", "Found", "LinkState", "LiveSession", "SessionRow", "StaffRow", "Waiting", "addresses_of",
    "export_mails", "export_profile", "export_sessions", "export_timeline", "factors_of", "find_desk_session",
    "find_erasure", "find_live_session", "find_person_by_email", "find_staff_name", "get_by_public_id", "get_person",
    "get_staff", "get_waiting", "is_forgotten", "is_open", "link_state", "list_staff", "list_waiting", "masked",
    "n_readers", "name_staff", "names_of", "passkey_ids_of", "public_id_of", "sessions_of", "staff_rows", "timeline",
]  # fmt: skip
