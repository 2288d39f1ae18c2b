"""Plurality: one choice each, most votes win. With several seats the single non-transferable vote.

One round. `totals` are votes: ballots that name this option alone, or alone in first place.
`missed_by`: how many votes fewer than the last winner (0: it lost by lot).
"""

from membership.polls.counting.groups import Groups
from membership.polls.counting.lots import block
from membership.polls.counting.profile import Profile
from membership.polls.counting.result import Count, Round
from membership.polls.counting.rule import Rule, _l


def count(profile: Profile, groups: Groups, n_seats: int) -> Count:
    """Count the first choice of every ballot."""
    totals = groups.sizes(groups.first_choices)
    order, lots, missed = block(totals, profile.lot_order, n_seats)
    return Count(
        rule=RULE.slug,
        version=RULE.version,
        n_seats=n_seats,
        options=profile.options,
        winners=tuple(order[:n_seats]),
        order=tuple(order),
        ties=tuple(lots.ties),
        rounds=(Round(1, totals, elected=tuple(order[:n_seats])),),
        n_ballots=groups.n_ballots,
        n_blank=groups.n_blank,
        missed_by=missed,
    )


RULE = Rule(
    slug="plurality",
    version="plurality/1",
    kind="single",
    name=_l("Plurality"),
    sentence=_l("Pick one topic; the topics with the most votes are chosen."),
    count=count,
)
