"""When a billing period ends."""

from datetime import UTC, datetime

from dateutil.relativedelta import relativedelta

_UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}


def boundary(anchor: int, interval: str, count: int, n: int) -> int:
    """The end of the `n`-th period of `count` intervals after `anchor`, in seconds since 1970.

    Counted from the anchor each time, so that a month end stays one: from 31 January come 28 or 29 February
    and then 31 March (Stripe's rule for billing cycles).
    """
    start = datetime.fromtimestamp(anchor, UTC)
    return int((start + relativedelta(**{_UNITS[interval]: count * n})).timestamp())  # type: ignore[arg-type]  # by name
