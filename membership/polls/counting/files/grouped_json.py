"""Ballots as the product publishes them: one JSON object.

* `candidates` (or `options`): the names. `ballots`: pairs of a number of ballots and the choice on them, which is a
  list of positions, best first; an inner list is a set of equal rank (an approval ballot is one inner list).
* `seats`, `title`, `rule` (a slug of RULES), `lot_order` (positions or names; without it the order of the options).
* For equal shares `costs` (one for each option), `budget`, `unit` (default 1) and `fills_up` (default true).

Numbers may be whole, decimal, or strings such as "7/2"; they are read exactly. Other keys are passed over.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from membership.polls.counting.files.election import Election, UnreadableElection, distinct, each_once
from membership.polls.counting.profile import Choice, Profile


def read(text: str) -> Election:
    """The election in this file. Raises UnreadableElection."""
    try:
        stored = json.loads(text, parse_float=Fraction)
    except (ValueError, RecursionError) as fault:
        raise UnreadableElection(f"This is not JSON: {fault}.") from None
    if not isinstance(stored, dict):
        raise UnreadableElection("The file must hold one JSON object.")
    names = stored.get("candidates", stored.get("options"))
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UnreadableElection('"candidates" must be a list of names.')
    costs = stored.get("costs")
    if costs is not None and (not isinstance(costs, list) or len(costs) != len(names)):
        raise UnreadableElection('"costs" must be a list with one number for each option.')
    try:
        profile = Profile(
            options=distinct(names),
            lot_order=_lot_order(stored.get("lot_order"), names),
            groups=list(_groups(stored.get("ballots"), len(names))),
            costs=None if costs is None else tuple(_number(cost, "costs") for cost in costs),
            budget=None if stored.get("budget") is None else _number(stored["budget"], "budget"),
            unit=_number(stored.get("unit", 1), "unit"),
            fills_up=stored.get("fills_up", True) is not False,
        )
    except UnreadableElection:
        raise
    except ValueError as fault:
        raise UnreadableElection(str(fault)) from None
    return Election(
        str(stored.get("title") or ""), profile, _seats(stored.get("seats")), _rule(stored.get("rule"), costs)
    )


def _rule(rule: Any, costs: Any) -> str | None:
    if isinstance(rule, str):
        return rule
    return "equal-shares" if costs is not None else None


def _seats(seats: Any) -> int | None:
    if seats is not None and (not _is_whole(seats) or seats < 1):
        raise UnreadableElection('"seats" must be a whole number, one or more.')
    return seats  # type: ignore[no-any-return]


def _lot_order(lots: Any, names: list[str]) -> tuple[int, ...]:
    if lots is None:
        return tuple(range(len(names)))
    if not isinstance(lots, list):
        raise UnreadableElection('"lot_order" must be a list of positions or names.')
    places = {name: position for position, name in enumerate(names)}
    order = tuple(places.get(lot, -1) if isinstance(lot, str) else lot for lot in lots)
    if not all(_is_whole(lot) for lot in order) or sorted(order) != list(range(len(names))):
        raise UnreadableElection('"lot_order" must name every option once.')
    return order


def _groups(ballots: Any, n_options: int) -> Iterator[tuple[int, Choice]]:
    if not isinstance(ballots, list):
        raise UnreadableElection('"ballots" must be a list of pairs: a number of ballots and the choice on them.')
    for place, group in enumerate(ballots, 1):
        if not isinstance(group, list) or len(group) != 2 or not isinstance(group[1], list):  # noqa: PLR2004 - a pair
            raise UnreadableElection(f"Group {place} of the ballots is not a pair of a number and a list of choices.")
        size, ranks = group
        if not _is_whole(size) or size < 0:
            raise UnreadableElection(f"Group {place} of the ballots does not begin with a whole number of ballots.")
        sets = [rank if isinstance(rank, list) else [rank] for rank in ranks]
        for option in (option for rank in sets for option in rank):
            if not _is_whole(option) or not 0 <= option < n_options:
                raise UnreadableElection(f"Group {place} of the ballots names option {option}; there are {n_options}.")
        yield size, each_once(sets)


def _number(value: Any, name: str) -> Fraction:
    try:
        if isinstance(value, (int, str, Fraction)) and not isinstance(value, bool):
            return Fraction(value)
    except (ValueError, ZeroDivisionError):
        pass
    raise UnreadableElection(f'"{name}" must hold numbers; {value!r} is none.')


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
