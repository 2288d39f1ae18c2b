"""Approval voting: the options with the most ticks win.

One round. `totals` are ticks. `missed_by`: how many ticks fewer than the last winner (0: it lost by lot).
Source: S. Brams, P. Fishburn, Approval Voting (1983); for several seats known as block approval.
"""

from membership.polls.counting.groups import Groups
from membership.polls.counting.lots import block
from membership.polls.counting.profile import Profile
from membership.polls.counting.result import Count, Round
from membership.polls.counting.rule import Rule, _l


def count(profile: Profile, groups: Groups, n_seats: int) -> Count:
    """Count every tick once. On ranked ballots every option that is named counts as ticked."""
    totals = groups.sizes(groups.ticks)
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
    slug="approval",
    version="approval/1",
    kind="approval",
    name=_l("Approval voting"),
    sentence=_l("Tick every topic that you would like; the topics with the most ticks are chosen."),
    count=count,
)
