"""What the clock does for contributions."""

from datetime import datetime

from membership.contributions import services
from membership.contributions.services import defending, ending, flagging, owning, recovering, refunding, watching


def abandon_overdue(now: datetime) -> None:
    """Close what was started and never paid."""
    services.abandon_overdue(now)


def notice(now: datetime) -> None:
    """Tell of yearly charges to come, and of cards that will have expired by the next one."""
    watching.notice_renewals(now)
    watching.notice_cards(now)


def look_after_pending(now: datetime) -> None:
    """See what became of bank debits that are on their way."""
    watching.look_after_pending(now)


def find_silent(now: datetime) -> None:
    """Find charges that should have come and did not."""
    watching.find_silent(now)


def send_refunds(now: datetime) -> None:
    """Ask for refunds that were written down and not asked for yet."""
    refunding.send_refunds(now)


def stop_due(now: datetime) -> None:
    """End what is to be over at the provider."""
    ending.stop_due(now)


def try_new_cards(now: datetime) -> None:
    """Pay what is open with cards that have just taken the place of others."""
    recovering.try_new_cards(now)


def flag_seconds(now: datetime) -> None:
    """Ask about two live supports of one person, whatever made them two."""
    flagging.flag_seconds(now)


def guard(now: datetime) -> None:
    """Note whether card testers are about, and send the mails that waited for the end of a storm."""
    del now
    defending.watch()
    defending.invite_waiting()


def forget_late(now: datetime) -> None:
    """Forget who paid for somebody that was erased before the money came."""
    owning.forget_late(now)
