"""BLT files, as STV programs exchange them (OpaVote, OpenSTV, Scottish councils).

    4 2             four options, two seats
    -2              option 2 has withdrawn (optional; several may stand here)
    3 1 3 4 0       three ballots: 1, then 3, then 4; a 0 ends each
    2 4 1=3 0       1 and 3 have equal rank; a "-" is a rank left out, which is passed over
    1 0             a blank ballot
    0               the end of the ballots
    "Anna"          the names, also of those that have withdrawn
    …
    "Title"

A ballot may bear an id in brackets before its number; what follows a # is a comment. Options that have withdrawn are
taken off every ballot, and those below them move up.
"""

import re
from collections.abc import Iterator

from membership.polls.counting.files.election import Election, UnreadableElection, distinct, each_once
from membership.polls.counting.profile import Choice, Profile

_TOKEN = re.compile(r"#[^\n]*|\([^)\n]*\)|\S+")


def read(text: str) -> Election:
    """The election in this file. Raises UnreadableElection."""
    words = _Words(text)
    n_options, n_seats = words.number("the number of options"), words.number("the number of seats")
    if n_options < 1 or n_seats < 1:
        raise UnreadableElection("A BLT file begins with the number of options and of seats, both one or more.")
    ballots: list[tuple[int, list[list[int]]]] = []
    withdrawn: set[int] = set()
    while (word := words.next("a ballot, or the 0 that ends them")) not in {"0", "0.0"}:
        if word.startswith("-") and not ballots:
            withdrawn.add(words.as_option(word[1:], n_options))
        else:
            ballots.append((words.as_number(word, "a number of ballots"), list(_ranks(words, n_options))))
    names, title = _names(text[words.at :], n_options)
    stays = [option for option in range(n_options) if option not in withdrawn]
    if not stays:
        raise UnreadableElection("Every option has withdrawn.")
    place = {option: position for position, option in enumerate(stays)}
    groups: dict[Choice, int] = {}
    for size, ranks in ballots:
        choice = each_once([place[option] for option in rank if option in place] for rank in ranks)
        groups[choice] = groups.get(choice, 0) + size
    profile = Profile(
        options=distinct([names[option] for option in stays]),
        lot_order=tuple(range(len(stays))),
        groups=[(size, choice) for choice, size in groups.items()],
    )
    return Election(title, profile, n_seats)


def _ranks(words: "_Words", n_options: int) -> Iterator[list[int]]:
    while (word := words.next("the 0 that ends a ballot")) != "0":
        if word != "-":
            yield [words.as_option(part, n_options) for part in word.split("=")]


def _names(rest: str, n_options: int) -> tuple[list[str], str]:
    """The names and the title; a file without them gets numbers."""
    found = []
    for line in rest.splitlines():
        quoted = re.findall(r'"([^"]*)"', line)
        plain = line.split("#")[0].strip()
        if quoted or plain:
            found.append(quoted or [plain])
    if len(found) <= 2:  # noqa: PLR2004 - names on one line, perhaps the title on the next
        found = [[part] for line in found for part in line]
    lines = [" ".join(part.strip() for part in line).strip() for line in found]
    if lines and len(lines) < n_options:
        raise UnreadableElection(f"There are {n_options} options and only {len(lines)} names.")
    names = [name or str(number) for number, name in enumerate(lines[:n_options], 1)]
    return names or [str(number) for number in range(1, n_options + 1)], "".join(lines[n_options : n_options + 1])


class _Words:
    """The words of the file one after the other, without comments and ids; `at` is where the last one ended."""

    def __init__(self, text: str) -> None:
        self.at = 0
        self._text = text
        self._found = _TOKEN.finditer(text)

    def next(self, wanted: str) -> str:
        """The next word. Raises UnreadableElection at the end of the file."""
        for match in self._found:
            self.at = match.end()
            if not match[0].startswith(("#", "(")):
                return match[0]
        raise UnreadableElection(f"The file ends where {wanted} should stand.")

    def number(self, wanted: str) -> int:
        """The next word as a whole number."""
        return self.as_number(self.next(wanted), wanted)

    def as_number(self, word: str, wanted: str) -> int:
        """The word as a whole number, 0 or more; "3.0" is one too."""
        if re.fullmatch(r"[0-9]+(\.0*)?", word):
            return int(word.split(".", maxsplit=1)[0])
        raise UnreadableElection(f"Line {self._line()}: {word!r} is not {wanted}.")

    def as_option(self, word: str, n_options: int) -> int:
        """The position that the number `word` means."""
        number = self.as_number(word, "the number of an option")
        if not 1 <= number <= n_options:
            raise UnreadableElection(f"Line {self._line()}: there is no option {number}, only {n_options}.")
        return number - 1

    def _line(self) -> int:
        return self._text.count("\n", 0, self.at) + 1
