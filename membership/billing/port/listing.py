"""What a provider can list: its notices, and the things it keeps. Page by page, so that memory stays flat."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from membership.billing.port.facts import BookedAtProvider, Fact, Notice, ObjectRef


class Listing(StrEnum):
    """The lists that are gone through, in this order: money before the state of what it pays for."""

    INVOICES = "invoices"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    CHECKOUTS = "finished checkouts"
    SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing as far as a list tells of it, to be held against what is booked.

    `ref` is what must be read again where they differ. `is_ours` is None where the list does not tell whose it is
    (a refund). `facts` are less than those of a reading: a payment has no fee, its service period may be missing,
    and `payment_id` of money that left is "". `related` must be booked as well. `is_clear` is false where the
    list's own words could not be understood: then only reading helps.
    """

    ref: ObjectRef
    is_ours: bool | None
    facts: tuple[Fact, ...] = ()
    related: tuple[ObjectRef, ...] = ()
    is_clear: bool = True


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Some things, newest first; `next_cursor` asks for what follows, None at the end."""

    rows: tuple[Listed, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ListedNotice:
    """A notice as the list shows it: never signed, so `signed_at` is `created_at`; `raw` is its JSON."""

    notice: Notice
    raw: bytes


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Some notices, oldest first. `newest_id`, `oldest_id` are cursors (None where the page is empty); `is_known`
    is false where the cursor that was asked with is not known any more: the provider keeps notices for a while only.
    """  # fmt: skip

    rows: tuple[ListedNotice, ...] = ()
    newest_id: str | None = None
    oldest_id: str | None = None
    has_more: bool = False
    is_known: bool = True


class Lists(Protocol):
    """The part of `PaymentProvider` that lists. All of it reaches out and raises ProviderFailed."""

    def notice_lists(self) -> tuple[str, ...]:
        """The names of the lists that together hold every notice that we listen to; reaches nobody."""

    def list_notices(
        self,
        name: str,
        *,
        newer_than: str | None = None,
        older_than: str | None = None,
        since: datetime | None = None,
        is_undelivered: bool = False,
    ) -> NoticePage:
        """A page of the list `name`: what follows the notice `newer_than`, or what precedes `older_than` (by default
        the newest), not older than `since`; with `is_undelivered` only what some endpoint has not taken.
        """

    def list_objects(self, listing: Listing, since: datetime | None, cursor: str | None) -> ListedPage:
        """A page of things made since `since` (None: ever); `cursor` is None for the first.

        Money that leaves is looked for further back, and subscriptions are listed whatever their age.
        """

    def list_booked(self, since: datetime | None = None) -> Iterator[BookedAtProvider] | None:
        """Our payments in the provider's own books, those since `since` or all; None where it cannot list them."""
