"""A crowd as a newsroom has after some years, written in bulk: people with names and addresses of their own, what they
support us with, five payments each with the coverage that they bought, and their history.

Always the same crowd for the same size, whichever database it is written to.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from membership.accounts.rules import words_of
from membership.db import db, is_sqlite
from tests.bench import bulk

_NAMES = (
    "Олена Наталія Тетяна Ірина Оксана Людмила Світлана Ольга Марія Юлія Андрій Сергій Олександр Володимир Микола "
    "Василь Іван Петро Тарас Дмитро Anna Maria Julia Emma Sofia Olivia Ava Lena Thomas Peter James Paul Oliver Noah"
)
_SYLLABLES = "ба ве го ди ку ла ми но па ра со та хо ше ян бор кра сте мар лев"
FIRST_NAMES, SYLLABLES = _NAMES.split(), _SYLLABLES.split()
ENDINGS = ("енко", "чук", "ук", "ський", "ська", "ів", "ишин", "ко", "ак", "ба")
DOMAINS = ("gmail.com", "ukr.net", "i.ua", "outlook.com", "example.org", "proton.me")
LATIN = str.maketrans(dict(zip("абвгдекилмнопрстухшівчязьйю", "abvhdekylmnoprstukxivcazjyu", strict=True)))
N_PAYMENTS = 5
AT_A_TIME = 5_000
STATES = ("active",) * 12 + ("past_due", "paused", "lapsed", "lapsed", "ended", "ended", "ended", "ended")
MONTH = timedelta(days=30)

Row = tuple[Any, ...]


class Crowd:
    """`n` people, numbered from 1, as they stand at `now`."""

    def __init__(self, n: int, now: datetime) -> None:
        self.n = n
        self.now = now.replace(microsecond=0)
        self._dice = random.Random(n)  # noqa: S311 - a crowd, not a secret

    def write(self) -> None:
        """Everything into the tables, and what the planner has to know about them."""
        for first in range(1, self.n + 1, AT_A_TIME):
            with db.engine.begin() as connection:
                _write(connection, self._rows(range(first, min(first + AT_A_TIME, self.n + 1))))
        bulk.settle(table for table, columns in COLUMNS.items() if columns.startswith("id "))

    def _rows(self, numbers: range) -> Iterator[tuple[str, list[str], list[Row]]]:
        made = [self._person(i) for i in numbers]
        for table in made[0]:
            rows = [row for each in made for row in each[table]]
            yield table, COLUMNS[table].split(), rows

    def _person(self, i: int) -> dict[str, list[Row]]:
        dice = self._dice
        first = dice.choice(FIRST_NAMES)
        last = "".join(dice.choices(SYLLABLES, k=dice.choice((2, 2, 3)))).capitalize() + dice.choice(ENDINGS)
        name = f"{first} {last}"
        local = name.lower().translate(LATIN).replace(" ", ".").encode("ascii", "ignore").decode()
        email = f"{local}.{i}@{dice.choice(DOMAINS)}"
        state = dice.choice(STATES)
        over = dice.randrange(1, 60) if state in {"lapsed", "ended"} else 0
        since_last = timedelta(days=33) if state == "past_due" else timedelta(hours=dice.randrange(1, 700))
        last_paid = self.now - MONTH * over - since_last - timedelta(seconds=dice.randrange(86_400))
        currency, cup = dice.choice((("EUR", 400), ("EUR", 400), ("UAH", 10000), ("USD", 500)))
        n_cups = dice.choice((1, 1, 1, 2, 2, 4, 10))
        paid = [last_paid - MONTH * back for back in range(N_PAYMENTS - 1, -1, -1)]
        since, numbers = paid[0], range((i - 1) * N_PAYMENTS + 1, i * N_PAYMENTS + 1)
        shown = name if dice.random() < 0.7 else None
        failed = last_paid if state == "past_due" else None
        return {
            "people": [(i, f"per_{i:026d}", email, since, shown, dice.choice(("en", "uk")), since)],
            "person_words": [(i, word, kind.value) for word, kind in words_of(email, shown).items()],
            "contributions": [
                (i, f"con_{i:026d}", f"form_{i}", 1, i, email, "en", "monthly", currency, cup * n_cups, cup * n_cups,
                 cup, n_cups, state, last_paid, since, f"cs_{i:09d}", f"cus_{i:09d}", f"sub_{i:09d}", failed, "{}")
            ],
            "payments": [
                (k, f"in_{k:09d}", f"con_{i:026d}", "monthly", cup * n_cups, currency, 31, currency, at, at, at + MONTH,
                 f"sub_{i:09d}", f"2020-{k:09d}", at)
                for k, at in zip(numbers, paid, strict=True)
            ],
            "coverage_grants": [
                (k, i, "paid", f"payment:in_{k:09d}", at, at, at + MONTH) for k, at in zip(numbers, paid, strict=True)
            ],
            "coverage_spans": [(k, i, k, at, at + MONTH) for k, at in zip(numbers, paid, strict=True)],
            "graces": [
                (i, i, f"con_{i:026d}", failed + MONTH, failed + MONTH + timedelta(days=14))
            ] if failed else [],
            "timeline_entries": [
                (k, i, at, "payment_received", "{}", "system") for k, at in zip(numbers, paid, strict=True)
            ],
            "movements": self._movements(i, state, since, last_paid + MONTH, currency, cup * n_cups * 12, n_cups),
            "patron_changes": [
                (i, i, since, max(last_paid + MONTH, failed + MONTH + timedelta(days=14)) if failed else
                 last_paid + MONTH, 1, since.date().replace(day=1))
            ],
            "cards": [(i, i, f"pm_{i}", "visa", f"{dice.randrange(10000):04d}", 2030, 5, since, False)],
        }  # fmt: skip

    def _movements(
        self, i: int, state: str, since: datetime, over: datetime, currency: str, yearly: int, n_cups: int
    ) -> list[Row]:
        begun = (2 * i - 1, i, f"con_{i:026d}", "new", since, yearly, n_cups * 1000, "", currency)
        cause = {"ended": "chosen", "lapsed": "failed", "paused": "paused"}.get(state)
        if cause is None:
            return [begun]
        lost = (2 * i, i, f"con_{i:026d}", "lost", min(over, self.now), -yearly, -n_cups * 1000, cause, currency)
        return [begun, lost]


COLUMNS = {
    "people": "id public_id email email_proved_at public_name locale created_at",
    "person_words": "person_id word kind",
    "contributions": (
        "id reference form_token form_try person_id email locale rhythm currency gift_minor charge_minor cup_minor "
        "n_cups state state_at created_at checkout_id customer_id subscription_id failed_at attribution"
    ),
    "payments": (
        "id provider_id reference rhythm charged_minor currency fee_minor fee_currency paid_at period_start_at "
        "period_end_at subscription_id receipt_number booked_at"
    ),
    "coverage_grants": "id person_id cause cause_ref paid_at starts_at ends_at",
    "coverage_spans": "id person_id grant_id starts_at ends_at",
    "graces": "id person_id reference opened_at until",
    "timeline_entries": "id person_id at kind details actor",
    "movements": "id person_id reference kind at yearly_delta_minor milli_cups_delta cause currency",
    "patron_changes": "id person_id starts_at ends_at delta cohort_on",
    "cards": "id contribution_id card_id brand last4 exp_year exp_month since_at is_to_try",
}


def _write(connection: Connection, tables: Iterator[tuple[str, list[str], list[Row]]]) -> None:
    raw: Any = connection.connection.dbapi_connection
    for table, columns, rows in tables:
        names = ", ".join(columns)
        if is_sqlite():
            marks = ", ".join("?" * len(columns))
            plain = [tuple(_for_sqlite(value) for value in row) for row in rows]
            raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", plain)  # noqa: S608 - constants
            continue
        with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat() if isinstance(value, date) else value
