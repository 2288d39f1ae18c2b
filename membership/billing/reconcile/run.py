"""One run through all lists, page by page, resumable."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import current_app

from membership.billing import inspections
from membership.billing.books.findings import Finding
from membership.billing.books.seen import Seen
from membership.billing.port import Listed, Listing, ObjectKind, ObjectRef, PaymentProvider
from membership.billing.reconcile.comparing import differences
from membership.billing.reconcile.holdings import Holdings
from membership.billing.reconcile.repairing import WHY, End, mend, settle_patiently
from membership.billing.services import Outcome
from membership.db import db, outside_call
from membership.kernel import clock

log = structlog.get_logger(__name__)

REACH = timedelta(days=35)
"""How far back a nightly run looks: more than a month, so that every monthly payment is looked at twice."""

OURS = "ours alone"
LIVE_AT_A_TIME = 500
KEEP_SECONDS = 1.0
Progress = Callable[[str, int], None]


@dataclass
class Run:
    """The state of a run: what it counted and found so far. `seen` are the subscriptions that the list showed."""

    row_id: int
    since: datetime | None
    is_dry: bool
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    n_findings: int = 0
    findings: list[Finding] = field(default_factory=list)
    repairs: list[Finding] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    _n_kept: int = 0
    _kept_at: float = 0.0

    def count(self, listing: str, end: End, ref_id: str, words: str) -> None:
        """Write down how one thing ended; what went wrong and what was mended with its words."""
        self.counts.setdefault(listing, {})[end] = self.counts.setdefault(listing, {}).get(end, 0) + 1
        if end is End.REPAIRED:
            self.repairs.append(Finding("repaired", f"{ref_id} ({listing}): {words}."))
            log.warning("reconcile_repaired", object_id=ref_id, words=words)
        if end is End.WRONG:
            self.n_findings += 1
            self.findings.append(Finding("differs", f"{ref_id} ({listing}): {words}."))
            if not self.is_dry:
                log.error("alert_reconcile", object_id=ref_id, words=words)

    def begin_anew(self, listing: str) -> None:
        """Forget what an earlier, killed pass over this list has counted."""
        self.n_findings -= self.counts.get(listing, {}).get(End.WRONG, 0)
        self.findings = [each for each in self.findings if f" ({listing}): " not in each.message]
        self.counts[listing] = {}

    def keep_if_due(self, listing: str, cursor: str | None) -> None:
        """The same at a list's end, after something was mended or found, and once a second."""
        n_told = len(self.repairs) + self.n_findings
        if cursor is None or n_told > self._n_kept or time.monotonic() - self._kept_at > KEEP_SECONDS:
            self.keep(listing, cursor)
            self._n_kept, self._kept_at = n_told, time.monotonic()

    def keep(self, listing: str, cursor: str | None) -> None:
        """Commit how far the run is."""
        inspections.keep(
            self.row_id,
            cursor={"listing": listing, "after": cursor, "is_dry": self.is_dry},
            counts=self.counts,
            n_findings=self.n_findings,
            findings=inspections.listed(self.findings),
            repairs=inspections.listed(self.repairs),
        )


def begin(at: datetime, since: datetime | None, *, is_dry: bool = False) -> int:
    """Begin a run over what was made since `since` (None: ever); the id of its row.

    With `is_dry` nothing is mended: whatever differs counts as wrong.
    """
    return inspections.begin(inspections.RECONCILE, at, since, {"is_dry": is_dry})


def go_on(row_id: int, *, progress: Progress | None = None) -> inspections.Inspected:
    """Go through what is left of a run that the caller holds, to its end; what came of it.

    Raises ProviderFailed where the provider fails; the run then waits for the next one who takes it up.
    """
    run, cursor = _take_up(row_id)
    at_listing = cursor.get("listing")
    names = [listing.value for listing in Listing]
    for name in names[names.index(at_listing) if at_listing in names else 0 :] if at_listing != OURS else []:
        # What the list of subscriptions showed is not kept with the cursor, so that list is begun anew.
        is_taken_up = name == at_listing and name != Listing.SUBSCRIPTIONS.value
        if not is_taken_up:
            run.begin_anew(name)
        _go_through(run, Listing(name), cursor.get("after") if is_taken_up else None, progress)
    _look_for_ours(run, progress)
    run.keep(OURS, None)
    inspections.keep(row_id, finished_at=clock.now())
    return inspections.inspected(inspections.get_row(row_id))


def _take_up(row_id: int) -> tuple[Run, dict[str, Any]]:
    row = inspections.get_row(row_id)
    known = inspections.inspected(row)
    run = Run(
        row_id,
        row.since,
        bool(row.cursor["is_dry"]),
        {name: dict(counts) for name, counts in row.counts.items()},
        row.n_findings,
        list(known.findings),
        list(known.repairs),
    )
    cursor = dict(row.cursor)
    if cursor.get("listing") == OURS:
        # Without the list of subscriptions nothing can be missed in it.
        cursor = {"listing": Listing.SUBSCRIPTIONS.value}
    return run, cursor


def _go_through(run: Run, listing: Listing, cursor: str | None, progress: Progress | None) -> None:
    provider: PaymentProvider = current_app.extensions["membership.provider"]
    while True:
        with outside_call("stripe.list"):
            page = provider.list_objects(listing, run.since, cursor)
        _compare(run, listing, page.rows)
        cursor = page.next_cursor
        run.keep_if_due(listing.value, cursor)
        if progress is not None:
            progress(listing.value, sum(run.counts.get(listing.value, {}).values()))
        if cursor is None:
            return


def _compare(run: Run, listing: Listing, rows: tuple[Listed, ...]) -> None:
    differing = differences(rows)
    done: set[ObjectRef] = set()
    for position, row in enumerate(rows):
        if listing is Listing.SUBSCRIPTIONS:
            run.seen.add(row.ref.id)
        if row.is_ours is False:
            run.count(listing.value, End.FOREIGN, row.ref.id, "")
        elif position not in differing:
            run.count(listing.value, End.IN_ORDER, row.ref.id, "")
        elif run.is_dry:
            run.count(listing.value, End.WRONG, row.ref.id, differing[position])
        elif row.ref not in done:
            done.add(row.ref)
            mended = mend(row, differing[position])
            run.count(listing.value, mended.end, row.ref.id, mended.words)


def _look_for_ours(run: Run, progress: Progress | None) -> None:
    """Support that we believe to go on and that no list showed: read it, and say where the provider has none."""
    wired: tuple[Holdings, ...] = current_app.extensions["membership.holdings"]
    run.begin_anew(OURS)
    for holdings in wired:
        after = ""
        while ids := holdings.live_after(after, LIVE_AT_A_TIME):
            db.session.rollback()
            for subscription_id in ids:
                if subscription_id not in run.seen:
                    _read_ours(run, subscription_id)
            after = ids[-1]
            run.keep(OURS, None)
            if progress is not None:
                progress(OURS, sum(run.counts[OURS].values()))


def _read_ours(run: Run, subscription_id: str) -> None:
    words = "it goes on here, and no list of the provider shows it"
    if run.is_dry:
        run.count(OURS, End.WRONG, subscription_id, words)
        return
    outcome = settle_patiently(ObjectRef(ObjectKind.SUBSCRIPTION, subscription_id))
    if outcome is Outcome.BOOKED:
        run.count(OURS, End.IN_ORDER, subscription_id, "")
    else:
        why = WHY.get(outcome, "it does not carry our stamp")
        run.count(OURS, End.WRONG, subscription_id, f"{words}; {why}")
