"""How a table of the desk is sorted: by a word in the address, such as `?sort=-since`, that can be sent to others."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sort:
    """By which of `columns` (names for the address, in the order of the table) the rows stand, and which way round."""

    column: str
    is_descending: bool
    columns: tuple[str, ...]

    def of(self, column: str) -> str:
        """What `aria-sort` says of a column: "ascending", "descending" or "none"."""
        if column != self.column:
            return "none"
        return "descending" if self.is_descending else "ascending"

    def word_for(self, column: str) -> str:
        """The word that sorts by `column`: from its beginning, or the other way round where it is sorted so already."""
        return f"-{column}" if column == self.column and not self.is_descending else column

    def __str__(self) -> str:
        return f"-{self.column}" if self.is_descending else self.column


def read_sort(text: str | None, columns: Sequence[str], default: str) -> Sort:
    """The order that an address asks for by `text` ("since", "-since"); `default`, a word of the same kind, for any
    text that names none of `columns`.
    """
    word = text if text is not None and text.removeprefix("-") in columns else default
    return Sort(word.removeprefix("-"), word.startswith("-"), tuple(columns))
