"""The overview, a page for every metric, and the same as a table to take along."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from membership.dashboard import forms
from membership.dashboard.forms import Asked
from membership.dashboard.metrics import GROUPS, METRICS, TOP, Metric
from membership.dashboard.pictures.charts import shown as words_of
from membership.dashboard.queries.needs import needs
from membership.dashboard.queries.rates import used_currencies
from membership.dashboard.views import shown
from membership.dashboard.views.heat import heat_of
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.newsroom.queries import day_of, reporting_currency
from membership.web.access import audience
from membership.web.spreadsheet import csv_response

bp = Blueprint("dashboard", __name__)
bp.add_app_template_filter(words_of, "shown")


@bp.get("/staff/dashboard")
@audience("staff", may="dashboard.see")
def overview() -> ResponseReturnValue:
    """Answer: are we growing, why, and what needs me today."""
    asked, at = _asked(), clock.now()
    found = {key: shown.measured(METRICS[key], at, asked) for key in (*TOP, "movements")}
    tiles, views = [found[key] for key in TOP], shown.draw([found["movements"], found["patrons"]])
    return render_template(
        "dashboard/overview.html", asked=asked, tiles=tiles, views=views, needs=needs(), **_frame(asked)
    )


@bp.get("/staff/dashboard/<key>")
@audience("staff", may="dashboard.see")
def metric(key: str) -> ResponseReturnValue:
    """One metric: its picture, its table, what it means."""
    asked = _asked()
    (view,) = shown.draw([shown.measured(_metric(key), clock.now(), asked)])
    facts = {
        "rows": shown.rows_of(view), "totals": shown.totals_of(view), "grid": shown.grid_of(view),
        "heat": heat_of(view.result),
    }  # fmt: skip
    return render_template("dashboard/metric.html", asked=asked, view=view, **facts, **_frame(asked))


@bp.get("/staff/dashboard/<key>.csv")
@audience("staff", may="dashboard.see")
def table(key: str) -> ResponseReturnValue:
    """The table of a metric as CSV."""
    asked = _asked()
    view = shown.measured(_metric(key), clock.now(), asked)
    name = f"{key}-{asked.period.start_on}-{asked.period.last_on}"
    return csv_response(shown.rows_for_csv(view), name)


def _metric(key: str) -> Metric:
    if key not in METRICS:
        raise NotFound("no_such_metric", "There is no such number.")
    return METRICS[key]


def _asked() -> Asked:
    return forms.read(request.args, day_of(clock.now()), reporting_currency(), used_currencies())


def _frame(asked: Asked) -> dict[str, object]:
    return {
        "groups": GROUPS,
        "ranges": shown.ranges(asked, request.path),
        "lenses": shown.lenses(asked, request.path, used_currencies()),
    }
