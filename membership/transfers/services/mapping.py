"""The forms of table that this newsroom's bank writes."""

import re
from datetime import datetime

from sqlalchemy import delete, select

from membership.audit.rules import COMMAND
from membership.audit.services import record
from membership.db import db, transaction
from membership.kernel.errors import InvalidInput
from membership.transfers.models import SavedMapping
from membership.transfers.statements.mappings import BUILT_IN, LONGEST_NAME, Mapping, check

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def save_mapping(name: str, mapping: Mapping, at: datetime, actor: str = COMMAND) -> None:
    """Keep a mapping under a name of small letters, digits and hyphens; the same name again replaces it.

    Raises InvalidInput for a name that is taken by one built in, and for a mapping that cannot be read by.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME or name in BUILT_IN:
        raise InvalidInput(
            "bad_name",
            "Please use small letters, digits and hyphens, and a name that is not taken.",
            field="mapping_name",
        )
    check(mapping)
    with transaction("transfers.save_mapping"):
        row = db.session.scalar(select(SavedMapping).where(SavedMapping.name == name).with_for_update())
        if row is None:
            db.session.add(SavedMapping(name=name, mapping=mapping.to_json(), saved_at=at))
        else:
            row.mapping, row.saved_at = mapping.to_json(), at
        record("mapping.saved", ("mapping", name), actor=actor, before={"was_there": row is not None})


def forget_mapping(name: str, actor: str = COMMAND) -> None:
    """Throw a saved mapping away; nothing that was read by it changes."""
    with transaction("transfers.forget_mapping"):
        gone = db.session.scalar(delete(SavedMapping).where(SavedMapping.name == name).returning(SavedMapping.id))
        if gone is not None:
            record("mapping.forgotten", ("mapping", name), actor=actor)
