"""What each metric of the dashboard must say, reckoned from rows. A new metric joins by a line in RECKONED.

A function `(rows, asked) -> Answer` in plain Python: nothing of `membership.dashboard` is imported or repeated here.
"""

from collections.abc import Callable

from tests.year.asked import Answer, Asked
from tests.year.reckoned.ahead import expected
from tests.year.reckoned.flows import fees, gifts, movements
from tests.year.reckoned.leaving import churn, cohorts, failed, lifetime_value
from tests.year.reckoned.levels import average_cups, mrr, patrons
from tests.year.reckoned.people import conversion, corrections, first_story, promise, turnout, voters_stay
from tests.year.rows import Rows

RECKONED: dict[str, Callable[[Rows, Asked], Answer]] = {
    "patrons": patrons,
    "mrr": mrr,
    "gifts": gifts,
    "fees": fees,
    "average-cups": average_cups,
    "movements": movements,
    "churn": churn,
    "cohorts": cohorts,
    "failed": failed,
    "lifetime-value": lifetime_value,
    "expected": expected,
    "conversion": conversion,
    "first-story": first_story,
    "promise": promise,
    "turnout": turnout,
    "voters-stay": voters_stay,
    "corrections": corrections,
}
