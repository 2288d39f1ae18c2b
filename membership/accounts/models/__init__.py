"""Tables of people, of how they sign in and where they are signed in, and of the second factor of staff."""

from membership.accounts.models.factors import Passkey, PasskeyChallenge, RecoveryCode, StaffSession, TotpSecret
from membership.accounts.models.people import (
    AddressChange,
    AddressProof,
    Approval,
    Erasure,
    Person,
    PersonWord,
    Session,
    SignInRequest,
    StaffMember,
    TimelineEntry,
)

__all__ = [
    "AddressChange",
    "AddressProof",
    "Approval",
    "Erasure",
    "Passkey",
    "PasskeyChallenge",
    "Person",
    "PersonWord",
    "RecoveryCode",
    "Session",
    "SignInRequest",
    "StaffMember",
    "StaffSession",
    "TimelineEntry",
    "TotpSecret",
]
