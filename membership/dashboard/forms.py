"""What an address of the dashboard asks for: a range of days, and in which money."""

from dataclasses import dataclass
from datetime import date

from werkzeug.datastructures import MultiDict

from membership.dashboard.metrics.metric import Lens
from membership.dashboard.rules.periods import Period, Range, period_of
from membership.kernel.errors import InvalidInput

DEFAULT = Range.DAYS30
LONGEST_DAY = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A range and a lens; `error` says what could not be read, and then stands for the default.

    `query` is what an address must carry so that another page shows the same.
    """

    period: Period
    lens: Lens
    query: dict[str, str]
    error: InvalidInput | None = None


def read(args: MultiDict[str, str], today: date, reporting: str, currencies: tuple[str, ...]) -> Asked:
    """From `range`, `from`, `to` and `in`; what is missing or wrong is the last 30 days in the reporting currency."""
    wanted = args.get("in", "").upper()
    lens = Lens(reporting, wanted if wanted in currencies else None)
    query = {"in": lens.currency} if lens.currency else {}
    name = args.get("range", DEFAULT.value)
    try:
        start_on, end_on = (_day(args.get(each)) for each in ("from", "to"))
        period = period_of(name, today, start_on, end_on)
    except InvalidInput as error:
        return Asked(period_of(DEFAULT.value, today), lens, query, error)
    if period.range is not DEFAULT:
        query["range"] = period.range.value
    if period.range is Range.OWN:
        query |= {"from": period.start_on.isoformat(), "to": period.last_on.isoformat()}
    return Asked(period, lens, query)


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[: LONGEST_DAY + 1])
    except ValueError:
        raise InvalidInput(
            "range_dates", "Please give two days, the first one not after the second.", field="from"
        ) from None
