"""Decisions about addresses, sign-in and sessions, as pure functions of values. Source: security.md S1-S12."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email

from membership.kernel.errors import InvalidInput
from membership.mail.rules import NOBODY

REQUEST_LIFE = timedelta(minutes=10)  # ASVS 6.5.5
MOST_TRIES = 5
CODE_DIGITS = 8

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=180)
TOUCH_EVERY = timedelta(hours=1)

# The right to the desk, on top of a session (S12, ADR 0014).
STAFF_IDLE = timedelta(minutes=30)
STAFF_ABSOLUTE = timedelta(hours=10)
STAFF_TOUCH_EVERY = timedelta(minutes=1)
# So long a second owner has time to agree to what another one asks for.
APPROVAL_LIFE = timedelta(days=3)
# So long what was shown last is proof enough for refunds, exports and roles.
FRESH_FOR = timedelta(minutes=10)

# Where a sign-in may lead: names that travel through the browser, and the addresses behind them (S19).
PLACES = {
    "account": "/account",
    "cancel": "/cancel",
    "contribute": "/contribute",
    "front": "/",
    "gifts": "/account/gifts",
    "polls": "/polls",
    "propose": "/topics/propose",
    "redeem": "/gift/redeem",
    "staff": "/staff",
    "topics": "/topics",
}
DEFAULT_PLACE = "account"
# Where somebody whom nobody knows yet gets an account by proving their address: whoever was given a membership.
OPEN_TO_NEWCOMERS = frozenset({"redeem"})
# One topic or poll by its public id (`kernel.ids`), so that who came from a mail about it comes back to it.
ONE_THING = re.compile(r"(?:topics|polls)/[a-z]{3}_[0-9a-z]{26}")
# One support, or the page on which its open payment is paid: short names, since they travel in a short column.
ONE_SUPPORT = re.compile(r"(support|pay)/(con_[0-9a-z]{26})")
SUPPORT_PAGE = re.compile(r"/account/support/(con_[0-9a-z]{26})(/pay)?")

LONGEST_EMAIL = 254
LONGEST_WORD = 254
# So many beginnings of one name or address are kept: "of" a title with nine words is no name that somebody searches.
MOST_PARTS = 5
APOSTROPHES = str.maketrans("", "", "'’ʼ‘`´′")
# Letters of Ukrainian that code points put behind "я", folded to their neighbours: lists of names stand in order, and
# who types the one finds the other. Marks (й, ї, é) are taken off before.
NEIGHBOURS = str.maketrans("ґєі", "геи")


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


class WordKind(StrEnum):
    """What a beginning is of: a whole name, a later part of a name or address, a whole address, its domain."""

    NAME = "name"
    PART = "part"
    ADDRESS = "address"
    DOMAIN = "domain"


def folded(text: str) -> str:
    """`text` as it is compared: its letters and digits in lower case, without marks and apostrophes, in words parted
    by one space. What looks the same to somebody who types a name is the same: "Дем’янчук" and "демянчук", "Zoë" and
    "zoe"; "" where nothing is left.
    """
    plain = unicodedata.normalize("NFKD", text.translate(APOSTROPHES)).casefold().translate(NEIGHBOURS)
    bare = "".join(char for char in plain if unicodedata.category(char) != "Mn")
    return " ".join(re.findall(r"[^\W_]+", bare))


def words_of(email: str, public_name: str | None) -> dict[str, WordKind]:
    """Every beginning by which somebody of this address (canonical) and name is found, each once.

    A name is kept from each of its words on ("olena petrenko", "petrenko"), so that whatever part of it is typed is a
    beginning; an address as a whole, by later parts of what stands before the @, and by its domain with the @.
    """
    found: dict[str, WordKind] = {}
    words = folded(public_name or "").split()[:MOST_PARTS]
    for first in range(len(words)):
        kind = WordKind.PART if first else WordKind.NAME
        found.setdefault(" ".join(words[first:])[:LONGEST_WORD], kind)
    if email.endswith(NOBODY):
        return found
    local, _, domain = email.rpartition("@")
    found[email] = WordKind.ADDRESS
    found["@" + domain] = WordKind.DOMAIN
    for part in folded(re.sub(r"[^A-Za-z0-9]+", " ", local)).split()[1:MOST_PARTS]:
        found.setdefault(part, WordKind.PART)
    return found


def masked(email: str) -> str:
    """An address that its owner recognises and nobody else learns: "o…@example.org"."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


def place(name: str | None) -> str:
    """Where a sign-in leads: `name` if it is a key of PLACES or one topic or poll, else the account."""
    return name if name is not None and _is_place(name) else DEFAULT_PLACE


def _is_place(name: str) -> bool:
    return name in PLACES or any(known.fullmatch(name) for known in (ONE_THING, ONE_SUPPORT))


def path_of(name: str) -> str:
    """The address of a place, always one of this site."""
    known = place(name)
    support = ONE_SUPPORT.fullmatch(known)
    if support:
        return f"/account/support/{support[2]}{'/pay' if support[1] == 'pay' else ''}"
    return PLACES.get(known) or f"/{known}"


def place_at(path: str) -> str | None:
    """The place whose page has this address; the desk for every page of staff; None for other pages."""
    if path == "/staff" or path.startswith("/staff/"):
        return "staff"
    support = SUPPORT_PAGE.fullmatch(path)
    if support:
        return f"{'pay' if support[2] else 'support'}/{support[1]}"
    known = {address: name for name, address in PLACES.items()}
    return known.get(path) or (path[1:] if ONE_THING.fullmatch(path[1:]) else None)


def plain_code(text: str) -> str:
    """A code as people type it ("1234 5678", "1234-5678"), without what groups the digits."""
    return "".join(char for char in text if char not in " \u00a0\u202f-\u2013\t")


@dataclass(frozen=True, slots=True)
class StaffRights:
    """What this browser may do at the desk as far as the second factor goes; the role is another question.

    `has_factor`: the person has set one up. `is_open`: it was shown here and is good still; in the demo also where
    there is none to be shown. `is_fresh`: that was within FRESH_FOR. `is_elsewhere`: it is open, but the browser did
    not send the cookie, as it does when another website led here.
    """

    has_factor: bool = False
    is_open: bool = False
    is_fresh: bool = False
    is_elsewhere: bool = False

    @property
    def is_by_courtesy(self) -> bool:
        """Whether the desk is open although there is no second factor: in the demo."""
        return self.is_open and not self.has_factor


NO_RIGHTS = StaffRights()


class Role(StrEnum):
    """What a member of staff is there for (decision 27)."""

    OWNER = "owner"
    EDITOR = "editor"
    FINANCE = "finance"
    VIEWER = "viewer"


# What staff may do. The whole table stands here; views name an action, never a role.
# "see" reads and writes nothing; "money.act" moves or books money, "people.act" changes what a person has. "inbox" are
# the notices of the payment company as they came, which name people; "inbox.trace" shows where our own code failed;
# "people.export" takes a list of people out of the house.
_EVERYBODY = frozenset({"desk.see", "dashboard.see", "people.see", "money.see", "settings.see"})
_EDITORS = _EVERYBODY | {"topics.moderate", "polls.run", "corrections.answer", "appeals.edit"}
_FINANCE = _EVERYBODY | {"money.act", "people.act", "people.export", "inbox.see", "inbox.replay", "mails.act"}
MAY: Mapping[Role, frozenset[str]] = {
    Role.OWNER: _EDITORS | _FINANCE | {"people.erase", "team.run", "audit.see", "inbox.trace", "settings.edit"},
    Role.EDITOR: _EDITORS,
    Role.FINANCE: _FINANCE,
    Role.VIEWER: _EVERYBODY,
}
ACTIONS: frozenset[str] = frozenset().union(*MAY.values())


def may(role: Role | None, action: str) -> bool:
    """Whether somebody in `role` (None: no member of staff) may do `action`; ValueError for an unknown action."""
    if action not in ACTIONS:
        raise ValueError(f"Unknown action {action!r}.")
    return role is not None and action in MAY[role]


class Act(StrEnum):
    """What an owner may want to do about a member of staff that is not for one alone (ADR 16)."""

    RESET = "reset"
    ROLE = "role"
    REMOVE = "remove"


def is_for_two(act: Act, before: Role, after: Role | None) -> bool:
    """Whether `act` about somebody who is `before`, and would be `after` (None: off the staff), is not for one owner
    alone: it opens another's account to whoever reads their mail, or it makes or unmakes an owner.
    """
    if act is Act.RESET:
        return True
    return before is not after and Role.OWNER in {before, after}


# Browsers, as their owners know them. The first word that stands in the header decides, so the order matters: most
# browsers call themselves by the names of others as well.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("SamsungBrowser", "Samsung"),
    ("CriOS", "Chrome"), ("Chrom", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_of(user_agent: str) -> str | None:
    """What kind of browser this is, such as "Firefox, Linux"; None where it says nothing that we know.

    Only this is kept: the whole header would tell one reader from another.
    """
    found = [next((name for mark, name in table if mark in user_agent), None) for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or None
