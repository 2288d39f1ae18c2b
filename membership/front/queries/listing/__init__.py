"""The list of people: `search` (who is meant by what was typed), `conditions` (a filter as SQL), `walks` (an index for
each sorting), `pages` (one page of it, and how many there are), `rows` (what stands beside each of them).

Read through `front.services.lists`, where every reading of a list begins.
"""

from membership.front.queries.listing.pages import MOST_COUNTED, PAGE_LENGTH, Found, count, page
from membership.front.queries.listing.rows import Line

__all__ = ["MOST_COUNTED", "PAGE_LENGTH", "Found", "Line", "count", "page"]
