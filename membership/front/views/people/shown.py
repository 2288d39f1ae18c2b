"""What every page about a list of people shows around it: the filter, its links, kept filters, tags."""

from typing import Any
from urllib.parse import urlencode

from membership.accounts.rules import Role
from membership.contributions.rules import UNPAID, State
from membership.front.queries import kept
from membership.front.rules import filters
from membership.front.rules.filters import Filter, Sort
from membership.newsroom.queries import offered_currencies


def around(wanted: Filter, sort: Sort) -> dict[str, Any]:
    """For `front/people.html`. `query` is the filter as an address has it, `written` the same for a form that acts on
    it; `set_fields` are the names of what is set but for the text, `query_without` the address without one of them.
    """
    query = wanted.to_query()
    names = [name for name in query if name != filters.TEXT]
    order = {"sort": sort.written()} if sort != Sort() else {}
    return {
        "wanted": wanted,
        "sort": sort,
        "columns": filters.Column,
        "query": query,
        "here": query | order,
        "written": urlencode(query),
        "set_fields": names,
        "query_without": {name: wanted.without(name).to_query() | order for name in names},
        "toggled": {column.value: query | {"sort": sort.toggled(column).written()} for column in filters.Column},
        "choices": _choices(),
        "segments": kept.list_segments(),
        "all_tags": kept.list_tags(),
    }


def _choices() -> dict[str, list[str]]:
    """The values of every field that is chosen from a list."""
    return {
        "standing": [each.value for each in filters.Standing],
        "rhythm": ["monthly", "yearly", "once"],
        "state": [each.value for each in State if each not in UNPAID],
        "currency": list(offered_currencies()),
        "way": list(filters.WAYS),
        "role": [filters.ANY_ROLE, *(each.value for each in Role)],
        "locale": list(filters.LANGUAGES),
    }
