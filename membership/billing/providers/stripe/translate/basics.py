"""What every part of the translation needs: ids, moments, our stamp, and fields that may be missing."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from membership.billing.port import APP_STAMP, Reading

Json = Mapping[str, Any]

FOREIGN = Reading(is_ours=False)


def id_of(value: Any) -> str | None:
    """The id of a field that may be expanded: its own, that of the object in its place, or None."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else None


def moment(seconds: Any) -> datetime | None:
    """Stripe's whole seconds since 1970 as an aware moment."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def reference_in(*stamps: Any) -> str | None:
    """Our reference in the first of these metadata that carries our stamp; None where none does (foreign)."""
    for stamp in stamps:
        if isinstance(stamp, Mapping) and stamp.get("app") == APP_STAMP and stamp.get("reference"):
            return str(stamp["reference"])
    return None


def dig(value: Any, *path: str) -> Any:
    """The value at `path`; None where anything on the way is missing, null or only an id."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def rows(value: Any) -> Sequence[Any]:
    """The data of a list object; empty where the list is missing."""
    data = dig(value, "data")
    return data if isinstance(data, list) else []


def must(value: datetime | None, what: str) -> datetime:
    """The moment, or ValueError where Stripe did not say it; `what` completes that sentence."""
    if value is None:
        raise ValueError(f"Stripe did not say {what}.")
    return value
