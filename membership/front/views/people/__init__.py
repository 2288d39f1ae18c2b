"""The desk's pages about people: `reading` (who, and everything about one), `failing` (payments that failed),
`supporting` (what runs at the payment company), `granting` (refunds, comps, the way in).
"""

from membership.front.views.people import failing, granting, reading, supporting
from membership.front.views.people.presses import people_bp

__all__ = ["failing", "granting", "people_bp", "reading", "supporting"]
