"""Approval profiles of the abcvoting library (.abc.yaml): `profile`, `num_cand` and `committeesize`.

Of YAML only what these files use is understood: numbers, and lists of numbers in brackets (over several lines, or one
list a line after a dash). Options have no names there but their numbers, from 0.
Source: github.com/martinlackner/abcvoting.
"""

import json
import re
from typing import Any

from membership.polls.counting.files.election import Election, UnreadableElection, each_once, grouped
from membership.polls.counting.profile import Profile


def read(text: str) -> Election:
    """The election in this file. Raises UnreadableElection."""
    parts = _parts(text)
    voters = _value(parts, "profile")
    if not isinstance(voters, list) or not all(isinstance(voter, list) for voter in voters):
        raise UnreadableElection('"profile" must be a list with a list of options for each voter.')
    named = [option for voter in voters for option in voter]
    n_options = _value(parts, "num_cand") if "num_cand" in parts else max(named, default=-1) + 1
    if not isinstance(n_options, int) or n_options < 1:
        raise UnreadableElection('"num_cand" must be a whole number, one or more.')
    if wrong := [option for option in named if not isinstance(option, int) or not 0 <= option < n_options]:
        raise UnreadableElection(f'"profile" names option {wrong[0]}; there are {n_options}, from 0.')
    n_seats = _value(parts, "committeesize") if "committeesize" in parts else None
    if n_seats is not None and (not isinstance(n_seats, int) or n_seats < 1):
        raise UnreadableElection('"committeesize" must be a whole number, one or more.')
    profile = Profile(
        options=tuple(map(str, range(n_options))),
        lot_order=tuple(range(n_options)),
        groups=grouped(each_once([voter]) for voter in voters),
    )
    return Election(parts.get("description", "").strip().strip("\"'"), profile, n_seats)


def _parts(text: str) -> dict[str, str]:
    """The text behind each key that stands at the beginning of a line."""
    plain = re.sub(r"(?m)^\s*#.*$|^---.*$", "", text)
    pieces = re.split(r"(?m)^(\w+):", plain)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def _value(parts: dict[str, str], key: str) -> Any:
    if key not in parts:
        raise UnreadableElection(f'This is not an approval profile: "{key}" is missing.')
    value = re.sub(r"\s#.*", "", parts[key]).strip()
    if re.match(r"-\s", value):
        value = "[" + ",".join(re.sub(r"^-\s", "", value, count=1).split("\n- ")) + "]"
    value = value.replace("{", "[").replace("}", "]")
    try:
        return json.loads(re.sub(r",\s*\]", "]", value))
    except ValueError:
        raise UnreadableElection(f'What stands after "{key}" is neither a number nor a list of numbers.') from None
