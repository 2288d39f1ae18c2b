"""What pages say of one contribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from membership.contributions.models import Contribution
from membership.contributions.rules import (
    LIVE,
    LONGEST_PAUSE_MONTHS,
    Action,
    State,
    Terms,
    Who,
    actions_of,
    choice_of,
    pause_ends,
    payment_after_pause,
)
from membership.kernel.rhythm import Rhythm
from membership.newsroom.queries import cup_in
from membership.newsroom.rules import whole_cups

# Action -> the page of it. The others belong to the newsroom's desk.
PAGES = {
    Action.CHANGE: "support.change",
    Action.PAUSE: "support.pause",
    Action.RESUME: "support.resume",
    Action.CANCEL: "support.cancel",
    Action.KEEP: "support.keep",
    Action.PAY_NOW: "recovering.pay",
    Action.NEW_CARD: "recovering.card",
    Action.COME_BACK: "contributions.contribute",
    Action.GIVE_AGAIN: "contributions.contribute",
}


def support_row(contribution: Contribution) -> dict[str, Any]:
    """One contribution as the templates name it: state, terms, dates, and the pages of what its giver may do."""
    rhythm = Rhythm(contribution.rhythm)
    is_given_on = contribution.purpose == "gift"
    return {
        "reference": contribution.reference,
        "state": contribution.state,
        "is_live": State(contribution.state) in LIVE,
        "way": contribution.way,
        "purpose": contribution.purpose,
        "rhythm": contribution.rhythm,
        "charge": contribution.charge,
        "fees_covered": contribution.charge - contribution.gift,
        "n_cups": 0 if is_given_on else whole_cups(contribution.gift, rhythm, contribution.cup),
        "n_months": contribution.n_months,
        "next_terms": contribution.next_terms,
        "next_payment_at": contribution.next_payment_at,
        "paused_until": contribution.paused_until,
        "ends_at": contribution.ends_at,
        "created_at": contribution.created_at,
        "pages": pages_of(contribution),
    }


def pages_of(contribution: Contribution) -> dict[str, str]:
    """The addresses of what its giver may do now, by action; empty for what was booked by hand."""
    if contribution.way != "card":
        return {}
    offered = actions_of(State(contribution.state), Who.MEMBER)
    return {action.value: _page_of(action, contribution) for action in offered if action in PAGES}


def _page_of(action: Action, contribution: Contribution) -> str:
    if action is Action.COME_BACK:
        return url_for(PAGES[action], currency=contribution.currency)
    if action is Action.GIVE_AGAIN and contribution.purpose == "gift":
        return url_for("gifts.gift", currency=contribution.currency)
    if action is Action.GIVE_AGAIN:
        # The same amount is chosen already: one tap, then the button.
        again: dict[str, Any] = {"currency": contribution.currency}
        again |= choice_of(contribution.gift, contribution.rhythm_word, cup_in(contribution.currency))
        return url_for(PAGES[action], **again)
    return url_for(PAGES[action], reference=contribution.reference)


def change_url(contribution: Contribution, wish: Mapping[str, Any]) -> str:
    """The page that changes this support, with what was chosen on the contribute page (`wish`) filled in.

    What cannot be changed as it stands has its own page, which says what can.
    """
    if Action.CHANGE not in actions_of(State(contribution.state), Who.MEMBER):
        return url_for("support.show", reference=contribution.reference)
    chosen = {key: wish[key] for key in ("cups", "amount", "covers_fees") if wish.get(key)}
    if not chosen.get("cups"):
        return url_for("support.change", reference=contribution.reference)
    rhythm = wish.get("rhythm")
    rhythm = rhythm if rhythm in {Rhythm.MONTHLY, Rhythm.YEARLY} else contribution.rhythm
    chosen |= {"covers_fees": "y"} if chosen.get("covers_fees") else {}
    return url_for("support.change", reference=contribution.reference, rhythm=rhythm, **chosen)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a change would mean, for the sentence before its button. `starts_at` None: not known while it is paused."""

    now: Terms
    then: Terms
    starts_at: datetime | None


def ahead_of(contribution: Contribution, terms: Terms) -> Ahead:
    """What `terms` would mean for this contribution."""
    return Ahead(contribution.terms, terms, contribution.next_payment_at)


@dataclass(frozen=True, slots=True)
class PauseAhead:
    """What a pause until `until` would mean: what is not taken then, and when the next payment is after it."""

    until: datetime
    first_skipped_at: datetime
    next_payment_at: datetime
    n_skipped: int


def pauses_ahead(contribution: Contribution, now: datetime) -> dict[int, PauseAhead]:
    """Each length in months that would make a difference, and what it would mean; empty where none would."""
    first = contribution.next_payment_at
    if first is None:
        return {}
    rhythm = contribution.rhythm_word
    ends = {n: pause_ends(now, n) for n in range(1, LONGEST_PAUSE_MONTHS + 1)}
    return {n: _pause_ahead(first, rhythm, until) for n, until in ends.items() if until > first}


def _pause_ahead(first: datetime, rhythm: Rhythm, until: datetime) -> PauseAhead:
    after = payment_after_pause(first, rhythm, until)
    months = (after.year - first.year) * 12 + after.month - first.month
    n_skipped = months if rhythm is Rhythm.MONTHLY else months // 12
    return PauseAhead(until, first, after, n_skipped)
