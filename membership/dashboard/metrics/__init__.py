"""What the dashboard measures: one file per number. A new one is a file, a line in GROUPS, and a case worked by hand.

The overview shows TOP in its first row, and lists all by GROUPS.
"""

from typing import Any

from flask_babel import lazy_gettext as _l

from membership.dashboard.metrics.average_cups import AVERAGE_CUPS
from membership.dashboard.metrics.churn import CHURN
from membership.dashboard.metrics.cohorts import COHORTS
from membership.dashboard.metrics.conversion import CONVERSION
from membership.dashboard.metrics.corrections import CORRECTIONS
from membership.dashboard.metrics.expected import EXPECTED
from membership.dashboard.metrics.fees import FEES
from membership.dashboard.metrics.first_story import FIRST_STORY
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
from membership.dashboard.metrics.promise import PROMISE
from membership.dashboard.metrics.troubles import TROUBLES
from membership.dashboard.metrics.turnout import TURNOUT
from membership.dashboard.metrics.voters_stay import VOTERS_STAY

GROUPS: tuple[tuple[Any, tuple[Metric, ...]], ...] = (
    (_l("People and money"), (PATRONS, MRR, MOVEMENTS, GIFTS, FEES, AVERAGE_CUPS, EXPECTED, TROUBLES)),
    (_l("Who stays"), (CHURN, COHORTS, LIFETIME_VALUE, VOTERS_STAY)),
    (_l("Where patrons come from"), (CONVERSION, FIRST_STORY)),
    (_l("Polls and topics"), (TURNOUT, PROMISE)),
    (_l("Articles"), (CORRECTIONS,)),
)
"""All metrics, as the overview lists them."""

METRICS: dict[str, Metric] = {metric.key: metric for _title, metrics in GROUPS for metric in metrics}

TOP = ("patrons", "mrr", "gifts", "average-cups", "fees")
"""The five numbers in the top row of the overview."""

__all__ = ["GROUPS", "METRICS", "TOP", "Definition", "Kind", "Lens", "Line", "Metric", "Result", "Unit", "Value"]
