"""The pages of contributions: `giving` (the ask, the thanks, the account) and `papers` (receipts, statements)."""

from membership.contributions.views import papers
from membership.contributions.views.giving import bp

BLUEPRINTS = (bp,)

__all__ = ["BLUEPRINTS", "bp", "papers"]
