"""A count as it is published: JSON with names. `membership count --json` prints it, and polls publish the same."""

from collections.abc import Iterable, Sequence
from typing import Any

from membership.polls.counting.result import Count


def named(found: Count, title: str, ids: Sequence[str] | None = None) -> dict[str, Any]:
    """The count as JSON with the names of the options in place of their positions; numbers of votes as exact strings.

    The names must differ from each other (`distinct`). `ids` are the file's own names for the options (project ids in
    a .pb file), where it has such: then `winner_ids` holds those of the winners.
    """
    names = found.options

    def some(positions: Iterable[int]) -> list[str]:
        return [names[position] for position in positions]

    shape = found.as_dict()
    shape |= {"winners": some(found.winners), "order": some(found.order)}
    shape["ties"] = [tie | {"options": some(tie["options"]), "chosen": some(tie["chosen"])} for tie in shape["ties"]]
    shape["rounds"] = [_named_round(each, names) for each in shape["rounds"]]
    if found.pairwise is not None:
        rows = zip(names, found.pairwise, strict=True)
        shape["pairwise"] = {one: dict(zip(names, row, strict=True)) for one, row in rows}
    shape["condorcet_winner"] = None if found.condorcet_winner is None else names[found.condorcet_winner]
    shape["missed_by"] = {names[int(position)]: by for position, by in shape["missed_by"].items()}
    if ids is not None:
        shape["winner_ids"] = [ids[winner] for winner in found.winners]
    return {"title": title} | shape


def _named_round(shape: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    def name(position: int | None) -> str | None:
        return None if position is None else names[position]

    return shape | {
        "totals": {names[int(position)]: total for position, total in shape["totals"].items()},
        "elected": [names[position] for position in shape["elected"]],
        "eliminated": [names[position] for position in shape["eliminated"]],
        "transfers": [
            {
                "from": names[each["from"]],
                "to": None if each["to"] is None else names[each["to"]],
                "votes": each["votes"],
            }
            for each in shape["transfers"]
        ],
    }
