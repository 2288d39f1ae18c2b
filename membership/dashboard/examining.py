"""What the doctor says about the dashboard: whether days are summed, and whether exchange rates still come."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from membership.dashboard.queries.health import currencies_without_rate, find_standstill, newest_quotes
from membership.kernel import clock
from membership.kernel.said import said
from membership.newsroom.queries import day_of, reporting_currency
from membership.operations.examining.finding import Finding, fine, note, problem
from membership.web import settings

AT_MOST = timedelta(hours=1)
"""The worker sums every minute; all days of a large newsroom anew, after an upgrade, take some minutes."""

QUIET_DAYS = 6
"""So long a central bank may be silent: over Easter the European one says nothing from Thursday to Tuesday."""

BANKS = {
    "ecb": (said("European Central Bank"), "RATES_ECB_URL"),
    "nbu": (said("National Bank of Ukraine"), "RATES_NBU_URL"),
}


def examine() -> Iterator[Finding]:
    """Every finding about daily sums and exchange rates; nobody outside is asked."""
    now = clock.now()
    yield _sums(now)
    yield from _banks(now)
    yield from _rates(now)


def _sums(now: datetime) -> Finding:
    found = find_standstill(now, clock.real_now() - AT_MOST)
    if found is None:
        return fine("rollups", said("The daily sums of the dashboard are up to date."))
    if found.rolled_to is None:
        words = said("The dashboard has never summed a day, although there are payments or supports.")
    elif found.n_days:
        words = said("Days of the dashboard wait to be summed for more than an hour: %(n)s.", n=found.n_days)
    else:
        words = said("The dashboard knows nothing of what came after %(at)s.", at=found.rolled_to)
    return problem(
        "rollups",
        words,
        said("Its numbers are old, and the page of each says so only by its moment."),
        said("See in the worker's log why dashboard.roll fails; then run: membership rollups rebuild."),
    )


def _banks(now: datetime) -> Iterator[Finding]:
    """Banks that are asked, and do not answer any more: noticed before their last rates are too old to be used."""
    known, newest = settings(), newest_quotes()
    urls = {"ecb": known.rates_ecb_url, "nbu": known.rates_nbu_url}
    for source, (bank, name) in BANKS.items():
        last = newest.get(source)
        if urls[source] is None or (last is not None and (day_of(now) - last).days <= QUIET_DAYS):
            continue
        yield note(
            "rates_silent",
            said("The %(bank)s has not told us any exchange rate yet.", bank=bank)
            if last is None
            else said("The last exchange rates of the %(bank)s are of %(day)s.", bank=bank, day=last.isoformat()),
            said("Soon amounts in other currencies cannot be added up."),
            said("Run: membership rates fetch. It says what is wrong; check %(name)s.", name=name),
        )


def _rates(now: datetime) -> Iterator[Finding]:
    missing, reporting = currencies_without_rate(now), reporting_currency()
    if missing:
        yield problem(
            "rates_missing",
            said(
                "There is no exchange rate of these days into %(reporting)s for: %(currencies)s.",
                reporting=reporting,
                currencies=", ".join(missing),
            ),
            said("What comes in these currencies is left out of the sums of the dashboard."),
            said("Set RATES_ECB_URL or RATES_NBU_URL, or read a table in: membership rates import FILE."),
        )
