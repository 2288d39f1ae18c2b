"""Pictures are drawn once for the same data and words, and kept."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from membership.dashboard.models import Picture
from membership.dashboard.pictures import WIDTHS, Chart, draw, spec_of
from membership.db import db, is_sqlite, transaction
from membership.kernel import clock

# Changed with whatever changes how the same specification is drawn.
VERSION = "1"
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture in every size, each as inline SVG."""

    narrow: Markup
    wide: Markup


def pictures(wanted: Sequence[tuple[Chart, str]]) -> list[Drawn]:
    """Each chart with its label as a picture, in order; those that were drawn before come from the table."""
    specs = [(size, spec_of(chart, size), label) for chart, label in wanted for size in WIDTHS]
    digests = [_digest(spec, label) for _, spec, label in specs]
    known = {row.digest: row.svg for row in db.session.scalars(select(Picture).where(Picture.digest.in_(digests)))}
    new = {
        digest: draw(spec, label)
        for digest, (_, spec, label) in zip(digests, specs, strict=True)
        if digest not in known
    }
    if new:
        _keep(new)
    # Only elements and attributes of a short list, every word in them escaped: see `pictures.draw`.
    svgs = [Markup(known.get(digest) or new[digest]) for digest in digests]  # noqa: S704 - ours, and as said above
    n = len(WIDTHS)
    return [Drawn(**dict(zip(WIDTHS, svgs[at : at + n], strict=True))) for at in range(0, len(svgs), n)]


def _digest(spec: dict[str, object], label: str) -> str:
    whole = json.dumps([VERSION, spec, label], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _keep(new: dict[str, str]) -> None:
    insert = insert_on_sqlite if is_sqlite() else insert_on_postgresql
    rows = [{"digest": digest, "svg": svg, "drawn_at": clock.real_now()} for digest, svg in new.items()]
    with transaction("dashboard.keep_pictures"):
        db.session.execute(insert(Picture).values(rows).on_conflict_do_nothing())


def forget(real_now: datetime) -> None:
    """Delete what was drawn more than a week ago; whoever looks has it drawn again."""
    with transaction("dashboard.forget_pictures"):
        db.session.execute(delete(Picture).where(Picture.drawn_at < real_now - KEPT))
