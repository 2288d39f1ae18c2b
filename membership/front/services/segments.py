"""Filters that staff keep under a name, for everybody at the desk."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from membership.audit.services import record
from membership.db import db, transaction
from membership.front.models import Segment
from membership.front.rules.filters import TEXT, Filter
from membership.front.rules.naming import clean_name
from membership.kernel.errors import Conflict, InvalidInput, NotFound


def keep(name: str, wanted: Filter, *, actor: str, at: datetime) -> Segment:
    """Give a filter a name. What was typed into the search is left out: it may be somebody's address.

    Raises InvalidInput as `naming.clean_name`, and `segment_empty` where nothing is left to filter by; Conflict
    `name_taken`.
    """
    shown, plain = clean_name(name)
    query = wanted.without(TEXT).to_query()
    if not query:
        raise InvalidInput("segment_empty", "This is everybody: choose a filter first.", field="name")
    segment = Segment(name=shown, plain_name=plain, query=query, actor=actor, made_at=at)
    try:
        with transaction("front.keep_segment"):
            db.session.add(segment)
            db.session.flush()
            record("list.kept", ("segment", segment.id), actor=actor, after={"filters": sorted(query)})
    except IntegrityError as error:
        raise Conflict("name_taken", "There is a filter of that name.") from error
    return segment


def remove(segment_id: int, actor: str) -> str:
    """Forget a kept filter; its name. NotFound `no_segment`."""
    with transaction("front.remove_segment"):
        segment = db.session.get(Segment, segment_id)
        if segment is None:
            raise NotFound("no_segment", "There is no such filter.")
        name = segment.name
        db.session.delete(segment)
        record("list.forgotten", ("segment", segment_id), actor=actor, before={"filters": sorted(segment.query)})
    return name
