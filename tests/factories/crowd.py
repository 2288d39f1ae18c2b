"""Audiences of the tests' own, without a single row of people behind them."""

from membership.mail.audiences import Recipient

N_EVERYBODY, N_SOME = 23, 9


def everybody(args, after, limit) -> list[Recipient]:
    """Numbers 1 to 23; every second one reads Ukrainian."""
    return _numbers(range(after + 1, N_EVERYBODY + 1), limit)


def every_third(args, after, limit) -> list[Recipient]:
    """Numbers 3 to 27 in steps of three: seven of them are in `everybody` too."""
    return _numbers((number for number in range(3, 28, 3) if number > after), limit)


def nobody(args, after, limit) -> list[Recipient]:
    return []


def _numbers(numbers, limit) -> list[Recipient]:
    chosen = list(numbers)[:limit]
    return [Recipient(number, f"r{number}@example.org", "uk" if number % 2 else "en") for number in chosen]


CROWDS = {
    "tests.everybody": (everybody,),
    "tests.two": (everybody, every_third),
    "tests.nobody": (nobody,),
}
