"""Who went to the payment page, and who of them paid, by where they came from; both on the day of the first.

`starts`, `paid_starts`: by "all", "came" (from anything that has a name: an article, a section or a campaign) and each
of these kinds ("article"). `starts_by_name`, `paid_starts_by_name`: by each name of a kind ("article:dredging"). n
contributions. Readers can put any name into an address, so that there is no end to names: whoever shows them takes the
most frequent ones only, and whoever wants totals need not look at them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased

from membership.billing.models import Payment
from membership.contributions.models import Contribution
from membership.dashboard.sources.source import Source, Sum
from membership.db import db

ALL, CAME, BY_NAME = "all", "came", "_by_name"
KINDS = {"article": "article", "section": "section", "campaign": "utm_campaign"}
"""What is told apart, and the key of `Contribution.attribution` that says it."""

# Whatever goes another way than by card has no payment page.
HAS_PAGE = Contribution.way == "card"
_earlier = aliased(Payment)
# The first that came into the books: a renewal makes no day of long ago be summed anew.
IS_FIRST = and_(
    Contribution.reference == Payment.reference,
    ~select(_earlier.id).where(_earlier.reference == Payment.reference, _earlier.id < Payment.id).exists(),
)
IS_PAID = select(Payment.id).where(Payment.reference == Contribution.reference).exists()


def _sums(measure: str, which: ColumnElement[bool], start: datetime, end: datetime) -> Iterator[Sum]:
    names = [Contribution.attribution[key].as_string().label(kind) for kind, key in KINDS.items()]
    rows = select(*names).where(Contribution.created_at >= start, Contribution.created_at < end, which).subquery()
    found: Counter[tuple[str, str]] = Counter()
    for row in db.session.execute(select(*rows.c, func.count()).group_by(*rows.c)):
        *values, n = row
        named = [(kind, name) for kind, name in zip(KINDS, values, strict=True) if name]
        dims = [ALL, *([CAME] if named else []), *(kind for kind, _ in named)]
        found.update({(measure, dim): n for dim in dims})
        found.update({(f"{measure}{BY_NAME}", f"{kind}:{name}"): n for kind, name in named})
    for (name, dim), n in found.items():
        yield Sum(name, "", dim, n, 0)


STARTS = Source(
    name="starts",
    measures=frozenset({"starts", "starts_by_name"}),
    money=frozenset(),
    row_id=Contribution.id,
    moments=(Contribution.created_at,),
    sums=partial(_sums, "starts", HAS_PAGE),
    of_rows=HAS_PAGE,
)
PAID_STARTS = Source(
    name="paid_starts",
    measures=frozenset({"paid_starts", "paid_starts_by_name"}),
    money=frozenset(),
    row_id=Payment.id,
    moments=(Contribution.created_at,),
    sums=partial(_sums, "paid_starts", and_(HAS_PAGE, IS_PAID)),
    of_rows=and_(IS_FIRST, HAS_PAGE),
)
