"""What differs between two answers: fields, and the kinds of values in them."""

_NAMES = {type(None): "null", bool: "truth", int: "number", float: "number", str: "text", list: "list", dict: "map"}


def differences(recorded, ours, kind="", path=""):
    """Pairs (place, what) for every field too many, too few or of another type.

    A place is the kind of the innermost object and the way from there, such as "charge.outcome.type"; positions
    in lists are left out.
    """
    if isinstance(recorded, dict) and isinstance(ours, dict):
        return _of_maps(recorded, ours, kind, path)
    if isinstance(recorded, list) and isinstance(ours, list):
        found = [(kind + path, f"has {len(ours)} items, not {len(recorded)}")] if len(recorded) != len(ours) else []
        for one, other in zip(recorded, ours, strict=False):
            found += differences(one, other, kind, path)
        return found
    theirs, mine = _NAMES[type(recorded)], _NAMES[type(ours)]
    return [] if theirs == mine else [(kind + path, f"is {mine}, not {theirs}")]


def _of_maps(recorded, ours, kind, path):
    found = []
    if isinstance(recorded.get("object"), str):
        kind, path = recorded["object"], ""
        if ours.get("object") != kind:
            return [(kind, f"is {ours.get('object')}")]
    missing, more = sorted(recorded.keys() - ours.keys()), sorted(ours.keys() - recorded.keys())
    found += [(f"{kind}{path}.{name}", f"is missing ({_NAMES[type(recorded[name])]})") for name in missing]
    found += [(f"{kind}{path}.{name}", f"is not Stripe's ({_NAMES[type(ours[name])]})") for name in more]
    for name in recorded.keys() & ours.keys():
        found += differences(recorded[name], ours[name], kind, f"{path}.{name}")
    return found
