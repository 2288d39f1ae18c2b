"""The desk's pages about people: `reading` (who, and everything about one), `failing` (payments that failed),
`supporting` (what runs at the payment company), `granting` (refunds, comps, the way in), `keeping` (kept filters and
tags), `many` (something for many at once), `exporting` (a list as CSV).
"""

from membership.front.views.people import exporting, failing, granting, keeping, many, reading, supporting
from membership.front.views.people.presses import people_bp

__all__ = ["exporting", "failing", "granting", "keeping", "many", "people_bp", "reading", "supporting"]
