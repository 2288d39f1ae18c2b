"""Pictures of metrics: a result becomes a `Chart` (`charts`), that a Vega-Lite specification (`specs`), that an SVG
which our pages may show (`svg`). Pure, but for Vega itself; what was drawn is kept by `services.drawing`.
"""

from membership.dashboard.pictures.charts import Chart, chart_of
from membership.dashboard.pictures.specs import WIDTHS, spec_of
from membership.dashboard.pictures.svg import draw

__all__ = ["WIDTHS", "Chart", "chart_of", "draw", "spec_of"]
