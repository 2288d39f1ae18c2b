"""The counting: pure functions of ballots, standard library only. A rule is one file; RULES names it.

count("spav", Profile(options, lot_order, groups), n_seats=5).as_dict()
"""

from dataclasses import replace

from membership.polls.counting import approval, equal_shares, pairwise, plurality, spav, stv
from membership.polls.counting.groups import Groups
from membership.polls.counting.profile import Choice, Profile
from membership.polls.counting.result import Count, Round, Tie, Transfer
from membership.polls.counting.rule import BallotKind, Rule

RULES: dict[str, Rule] = {rule.RULE.slug: rule.RULE for rule in (spav, approval, stv, equal_shares, plurality)}

# Other names of the field. "irv" is "stv" with one seat.
ALIASES = {"irv": "stv", "av": "approval", "seqpav": "spav", "mes": "equal-shares"}

__all__ = [
    "ALIASES",
    "RULES",
    "BallotKind",
    "Choice",
    "Count",
    "Profile",
    "Round",
    "Rule",
    "Tie",
    "Transfer",
    "count",
    "nobody_unless_named",
]


def count(rule_slug: str, profile: Profile, n_seats: int = 1) -> Count:
    """Count the ballots of `profile` by the rule of that slug or alias; more seats than options elect all options.

    Where ballots are ranked, the table of every option against every other stands beside it, whatever the rule.
    Raises ValueError for an unknown rule, no options, fewer than one seat, several with "irv", a ballot for an option
    that does not exist, and for equal shares with costs but no budget.
    """
    rule = RULES.get(ALIASES.get(rule_slug, rule_slug))
    if rule is None:
        raise ValueError(f"There is no counting rule {rule_slug}.")
    if n_seats < 1 or (rule_slug == "irv" and n_seats > 1):
        raise ValueError("Instant-runoff voting elects one." if n_seats > 1 else "There must be one seat at least.")
    if not profile.options:
        raise ValueError("There must be one option at least.")
    groups = Groups(profile)
    result = rule.count(profile, groups, n_seats)
    if rule.kind != "ranking" and not groups.is_ranked:
        return result
    table = pairwise.table(groups)
    return replace(result, pairwise=table, condorcet_winner=pairwise.condorcet_winner(table))


def nobody_unless_named(found: Count) -> Count:
    """What a count chooses in the end: where no ballot names an option, nobody. A lot settles what voters left equal,
    and nobody wanted any. A seat for which nobody voted beside others that were voted for goes by lot all the same, as
    every rule fills its seats.
    """
    if found.n_blank < found.n_ballots:
        return found
    none = replace(found, winners=(), order=(), ties=(), rounds=(), missed_by={})
    return replace(none, quota=None, pairwise=None, condorcet_winner=None)
