"""Pages of the dashboard."""

from membership.dashboard.views.pages import bp

__all__ = ["bp"]
