"""The pages of contributions: `giving` (the ask, the thanks, the account), `papers` (receipts, statements),
`support` (changing, pausing and stopping one) and `recovering` (a failed payment, another card, two supports of one
person).
"""

from membership.contributions.views import confirming, papers
from membership.contributions.views.giving import bp
from membership.contributions.views.recovering import bp as recovering_bp
from membership.contributions.views.support import bp as support_bp

BLUEPRINTS = (bp, recovering_bp, support_bp)

__all__ = ["BLUEPRINTS", "bp", "confirming", "papers"]
