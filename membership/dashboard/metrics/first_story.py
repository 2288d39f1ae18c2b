"""Which story brought the first gift of new supporters, and whether members had chosen it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.metric import Definition, Kind, Lens, Result, Table, Unit
from membership.dashboard.metrics.reading import never_rolled
from membership.dashboard.metrics.shares import HEADINGS, WILSON_SOURCE, WILSON_URL, cells, most_first, share_of
from membership.dashboard.queries.stories import addresses_of_chosen
from membership.dashboard.queries.sums import find_rolled_to, n_by_dim
from membership.dashboard.rules.periods import Period
from membership.dashboard.rules.stories import names_of, plain
from membership.dashboard.rules.wilson import LEAST
from membership.web.filters import decimal, percent

SHOWN = 25


class FirstStory:
    """New supporters by the story at whose foot they decided to give; the first money that ever came of them."""

    key = "first-story"
    unit = Unit.PERCENT
    kind = Kind.TABLE
    is_up_good = True
    title = _l("Which story brought the first gift")
    definition = Definition(
        _l(
            "People whose first gift of all came in these days, by the article that led them to it. Members chose a "
            "story when a poll chose its topic, and the address of the story that was published ends in the name of "
            "the article. The share is of all first gifts that came from a story; the real one lies between “at "
            "least” and “at most” in 95 of 100 cases, and of fewer than %(least)s gifts it is too early to say "
            "anything. It does not say that a story was read more or less: views are not counted yet.",
            least=LEAST,
        ),
        WILSON_SOURCE,
        WILSON_URL,
    )

    def measure(self, at: datetime, period: Period, lens: Lens) -> Result:
        """`now` is the share of first gifts that came from stories that members chose."""
        del at, lens
        rolled_to, chosen = find_rolled_to(), names_of(addresses_of_chosen())
        gifts, was = (n_by_dim("first_gifts", *days) for days in ((period.start_on, period.end_on), period.before))
        headings = (_l("Story"), _l("Members chose it"), _l("First gifts"), *HEADINGS)
        return Result(
            rolled_to, period, self.unit, self.kind, share_of(*_chosen(gifts, chosen)), share_of(*_chosen(was, chosen)),
            table=Table(headings, _rows(gifts, chosen)), notes=never_rolled(rolled_to),
        )  # fmt: skip

    def words(self, result: Result) -> str:
        """How many of how many; or that it is too early."""
        rows = result.table.rows if result.table else ()
        n_chosen, n_other = (rows[at][2] for at in (0, 1)) if rows else (0, 0)
        n = n_chosen + n_other
        if not n:
            return str(_("No first gift came from a story."))
        counted = _(
            "%(chosen)s of %(n)s first gifts came from a story that members chose.",
            chosen=decimal(n_chosen, 0),
            n=decimal(n, 0),
        )
        said = _("That is too few to speak of a share.")
        if isinstance(result.now, Decimal):
            low, high = (percent(end) for end in rows[0][4:6])
            said = _("The real share lies between %(low)s and %(high)s.", low=low, high=high)
        return f"{counted} {said}"


def _chosen(gifts: Mapping[str, int], chosen: frozenset[str]) -> tuple[int, int]:
    """How many first gifts came from stories that members chose, and from stories at all."""
    from_story = {name: n for name, n in gifts.items() if name}
    return sum(n for name, n in from_story.items() if plain(name) in chosen), sum(from_story.values())


def _rows(gifts: Mapping[str, int], chosen: frozenset[str]) -> tuple[tuple[Any, ...], ...]:
    n_chosen, n = _chosen(gifts, chosen)
    most = most_first({name: each for name, each in gifts.items() if name}, SHOWN)
    left = n - sum(each for _name, each in most)
    return (
        (_("Stories that members chose"), _("Yes"), n_chosen, *cells(n_chosen, n)),
        (_("Stories that nobody voted on"), _("No"), n - n_chosen, *cells(n - n_chosen, n)),
        *((name, _("Yes") if plain(name) in chosen else _("No"), each, *cells(each, n)) for name, each in most),
        *([(_("All others"), None, left, *cells(left, n))] if left else []),
        (_("Without a story"), None, gifts.get("", 0), None, None, None, None),
    )


FIRST_STORY = FirstStory()
