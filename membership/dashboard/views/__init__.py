"""Pages of the dashboard."""

from membership.dashboard.views.appeals import appeals_bp
from membership.dashboard.views.pages import bp

__all__ = ["appeals_bp", "bp"]
