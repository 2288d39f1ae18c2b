"""What the dashboard measures: one file per number. A new one is a file, a line in METRICS, and a case worked by hand.

The overview shows the first five; `/staff/dashboard` lists all, in this order.
"""

from membership.dashboard.metrics.average_cups import AVERAGE_CUPS
from membership.dashboard.metrics.churn import CHURN
from membership.dashboard.metrics.cohorts import COHORTS
from membership.dashboard.metrics.expected import EXPECTED
from membership.dashboard.metrics.fees import FEES
from membership.dashboard.metrics.gifts import GIFTS
from membership.dashboard.metrics.lifetime_value import LIFETIME_VALUE
from membership.dashboard.metrics.metric import (
    Definition,
    Kind,
    Lens,
    Line,
    Metric,
    Result,
    Unit,
    Value,
)
from membership.dashboard.metrics.movements import MOVEMENTS
from membership.dashboard.metrics.mrr import MRR
from membership.dashboard.metrics.patrons import PATRONS
from membership.dashboard.metrics.troubles import TROUBLES

METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        PATRONS, MRR, GIFTS, FEES, AVERAGE_CUPS, MOVEMENTS, EXPECTED, TROUBLES, CHURN, COHORTS, LIFETIME_VALUE
    )
}  # fmt: skip

TOP = ("patrons", "mrr", "gifts", "average-cups", "fees")
"""The five numbers in the top row of the overview."""

__all__ = ["METRICS", "TOP", "Definition", "Kind", "Lens", "Line", "Metric", "Result", "Unit", "Value"]
