"""Showing an appeal to readers, and no longer. From the start on its words and rules stay as they are."""

from datetime import datetime

from membership.appeals import queries
from membership.appeals.models import Appeal
from membership.appeals.rules import Deed, State, check_sooner, faults_of, first_moment
from membership.appeals.services.steps import draft_at, locked, move, write_down
from membership.db import transaction
from membership.kernel import clock
from membership.kernel.errors import Conflict
from membership.newsroom.queries import house

# Every reader's browser reads all of them, and takes a file of 256 KB at most.
MOST_RUNNING = 10


def start(appeal_id: int, version: int, actor: int | None) -> Appeal:
    """Show it from its beginning on, or from now where that is past or nowhere said. Twice is once.

    Conflict `appeal_changed` where it is not the one that was looked at, `appeal_not_ready` where `rules.faults_of`
    finds something, `appeals_enough` where MOST_RUNNING run already, `appeal_moved` once it was stopped.
    """
    with transaction("appeals.start"):
        if locked(appeal_id).state == State.RUNNING:
            return locked(appeal_id)
        appeal, now = draft_at(appeal_id, version), clock.now()
        if faults_of(queries.variants_of(appeal.id), house().default_language, appeal.ends_at, now):
            raise Conflict("appeal_not_ready", "This appeal is not ready yet: see what is missing.")
        if queries.n_running(now) >= MOST_RUNNING:
            raise Conflict("appeals_enough", "Ten appeals run already. Please stop one of them first.")
        move(appeal, State.RUNNING, now)
        appeal.starts_at = first_moment(appeal.starts_at, now)
        appeal.version += 1
        write_down(appeal, Deed.STARTED, now, actor)
    return appeal


def stop(appeal_id: int, actor: int | None) -> Appeal:
    """Show it to nobody any more, for good. Twice is once; Conflict `appeal_moved` for a draft."""
    with transaction("appeals.stop"):
        appeal = locked(appeal_id)
        if appeal.state != State.STOPPED:
            move(appeal, State.STOPPED, clock.now())
            appeal.version += 1
            write_down(appeal, Deed.STOPPED, appeal.state_at, actor)
    return appeal


def end_sooner(appeal_id: int, ends_at: datetime | None, actor: int | None) -> Appeal:
    """Let a running appeal end sooner than planned, or at all; InvalidInput `ends_at` by `rules.check_sooner`.

    The same end once more is no change.
    """
    with transaction("appeals.end_sooner"):
        appeal, now = locked(appeal_id), clock.now()
        if appeal.state != State.RUNNING:
            raise Conflict("appeal_moved", "That can no longer be done with this appeal. Look at it again.")
        if ends_at is None or ends_at != appeal.ends_at:
            appeal.ends_at = check_sooner(appeal.starts_at, appeal.ends_at, ends_at, now)
            appeal.version += 1
            write_down(appeal, Deed.SHORTENED, now, actor)
    return appeal
