"""Everything that we hold of one person, room by room (`wiring.EXPORTERS`)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from flask import current_app

Rows = list[dict[str, Any]]
Exporters = Mapping[str, Callable[[int], Rows]]


def everything_of(person_id: int) -> dict[str, Rows]:
    """Every room's rows about a person, by the room's name, in the order of the table; rooms without any are empty."""
    exporters: Exporters = current_app.extensions["membership.exporters"]
    return {name: export(person_id) for name, export in exporters.items()}


def as_plain(rows: Mapping[str, Rows], at: datetime) -> dict[str, Any]:
    """The same as plain JSON: moments in ISO 8601 (UTC), amounts in the smallest unit of their currency."""
    plain = {name: [{key: _plain(value) for key, value in row.items()} for row in part] for name, part in rows.items()}
    return {"format": "reader-membership/person/1", "made_at": at.isoformat(), **plain}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
