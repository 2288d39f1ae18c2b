"""The desk's pages about people: `reading` (who, and everything about one), `supporting` (what runs at the payment
company), `granting` (refunds, comps, the way in), `keeping` (kept filters and tags), `many` (something for many at
once), `exporting` (a list as CSV).
"""

from membership.front.views.people import exporting, granting, keeping, many, reading, supporting
from membership.front.views.people.presses import people_bp

__all__ = ["exporting", "granting", "keeping", "many", "people_bp", "reading", "supporting"]
