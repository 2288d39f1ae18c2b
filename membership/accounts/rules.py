"""Decisions about addresses, sign-in and sessions, as pure functions of values. Source: security.md S1-S12."""

import unicodedata
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email

from membership.kernel.errors import InvalidInput

REQUEST_LIFE = timedelta(minutes=10)  # ASVS 6.5.5
MOST_TRIES = 5
CODE_DIGITS = 8

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=180)
TOUCH_EVERY = timedelta(hours=1)

# Where a sign-in may lead: names that travel through the browser, and the addresses behind them (S19).
PLACES = {"account": "/account", "contribute": "/contribute", "front": "/"}
DEFAULT_PLACE = "account"

LONGEST_EMAIL = 254


def canonical_email(text: str) -> str:
    """The one form under which an address is known: NFKC, lower case, domain in IDNA.

    Nothing of the local part is folded away (dots, plus signs): two people may own the two addresses. Raises
    InvalidInput `email_invalid` for what cannot be mailed to, control characters and line ends above all.
    """
    bare = text.strip(" ")
    if not bare or len(bare) > 4 * LONGEST_EMAIL or any(unicodedata.category(char)[0] in "CZ" for char in bare):
        raise _not_an_address()
    try:
        # Local parts beyond ASCII need a mail server that speaks SMTPUTF8 on every way: refused.
        found = validate_email(
            unicodedata.normalize("NFKC", bare), check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError as error:
        raise _not_an_address() from error
    email = (found.ascii_email or "").lower()
    if not email or len(email) > LONGEST_EMAIL:
        raise _not_an_address()
    return email


def mailbox(email: str) -> str:
    """The mailbox that an address (canonical) most likely ends in: for counting limits, never for identity.

    What stands behind a plus, and dots at gmail, change nothing about where a mail lands.
    """
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def _not_an_address() -> InvalidInput:
    return InvalidInput("email_invalid", "This is not an e-mail address that mail can be sent to.", field="email")


def masked(email: str) -> str:
    """An address that its owner recognises and nobody else learns: "o…@example.org"."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


def place(name: str | None) -> str:
    """A key of PLACES: `name` if it is one, else the account."""
    return name if name in PLACES else DEFAULT_PLACE


def plain_code(text: str) -> str:
    """A code as people type it ("1234 5678", "1234-5678"), without what groups the digits."""
    return "".join(char for char in text if char not in " \u00a0\u202f-\u2013\t")


def is_session_live(last_seen_at: datetime, expires_at: datetime, at: datetime) -> bool:
    """Whether a session may be used at `at`: seen within 30 days, begun within 180."""
    return at < expires_at and at < last_seen_at + IDLE
