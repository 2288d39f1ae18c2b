"""New supporters, by the article that brought the first money that ever came of them, on the day on which it was paid.

`first_gifts`: by the name of the article as it stands in the address of the ask; empty where there was none. First is
what came first into the books: money that is heard of late makes no first gift of before a second one.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.dashboard.sources.source import Source, Sum
from membership.db import db

_earlier, _theirs = aliased(Payment), aliased(Contribution)
# Whose a contribution is changes where two people turn out to be one: `services.owning` has those days summed anew.
IS_THEIR_FIRST = and_(
    Contribution.reference == Payment.reference,
    ~select(_earlier.id)
    .join(_theirs, _theirs.reference == _earlier.reference)
    .where(_theirs.person_id == Contribution.person_id, _earlier.id < Payment.id)
    .exists(),
)


def _sums(start: datetime, end: datetime) -> Iterator[Sum]:
    rows = (
        select(func.coalesce(Contribution.attribution["article"].as_string(), "").label("article"))
        .select_from(Payment)
        .join(Contribution, Contribution.reference == Payment.reference)
        .where(Payment.paid_at >= start, Payment.paid_at < end, Contribution.person_id.is_not(None), IS_THEIR_FIRST)
        .subquery()
    )
    for article, n in db.session.execute(select(rows.c.article, func.count()).group_by(rows.c.article)):
        yield Sum("first_gifts", "", article, n, 0)


FIRST_GIFTS = Source(
    name="first_gifts",
    measures=frozenset({"first_gifts"}),
    money=frozenset(),
    row_id=Payment.id,
    moments=(Payment.paid_at,),
    sums=_sums,
    of_rows=IS_THEIR_FIRST,
)
