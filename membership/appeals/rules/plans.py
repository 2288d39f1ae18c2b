"""The rules of one appeal, as staff type them: who sees it, where, how often. Pure functions of values."""

import re
from dataclasses import dataclass
from datetime import datetime

from membership.kernel.errors import InvalidInput
from membership.kernel.words import one_line

LONGEST_NAME = 80
MOST_WORDS = 20
LONGEST_WORD = 40
PRIORITIES = range(1, 10)
VIEWS = range(1, 100)
DAYS = range(1, 366)
DAYS_BETWEEN = range(366)
HOLDOUT = range(51)
COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns of an appeal that staff fill in, cleaned; see `models.Appeal` for what each means."""

    name: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    priority: int = 5
    sections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    on_sensitive: bool = False
    cap_views: int = 4
    cap_days: int = 30
    days_between: int = 1
    holdout_percent: int = 10


def clean_name(text: str) -> str:
    """How staff call an appeal; InvalidInput for nothing or too much."""
    name = one_line(text)
    if not name:
        raise InvalidInput("appeal_name_missing", "Please type a name by which you will know it again.", field="name")
    if len(name) > LONGEST_NAME:
        raise InvalidInput("appeal_name_too_long", "A name has 80 characters at most.", field="name")
    return name


def clean_words(text: str, field: str) -> tuple[str, ...]:
    """A list that is typed with commas: lower case, each once, in the order in which they were typed; () for none."""
    words = tuple(dict.fromkeys(filter(None, (one_line(part).lower() for part in re.split(r"[,;\n]", text)))))
    if len(words) > MOST_WORDS:
        raise InvalidInput("too_many_words", "Please name 20 of them at most.", field=field)
    if any(len(word) > LONGEST_WORD for word in words):
        raise InvalidInput("word_too_long", "One of these is longer than 40 characters.", field=field)
    return words


def clean_countries(text: str) -> tuple[str, ...]:
    """Codes of countries, upper case; InvalidInput for what are not two letters."""
    codes = tuple(code.upper() for code in clean_words(text, "countries"))
    if not all(COUNTRY.fullmatch(code) for code in codes):
        raise InvalidInput("country_unknown", "Please use codes of two letters, such as UA, PL.", field="countries")
    return codes


def check_number(number: int | None, allowed: range, field: str) -> int:
    """`number`, where it is in reach; InvalidInput where not."""
    if number is None or number not in allowed:
        raise InvalidInput(
            "number_out_of_reach", "This number is too small or too large; see the hint below it.", field=field
        )
    return number


def clean_plan(plan: Plan) -> Plan:
    """The plan, if it may be so: InvalidInput naming the first field that may not."""
    for field, allowed in (
        ("priority", PRIORITIES), ("cap_views", VIEWS), ("cap_days", DAYS), ("days_between", DAYS_BETWEEN),
        ("holdout_percent", HOLDOUT),
    ):  # fmt: skip
        check_number(getattr(plan, field), allowed, field)
    check_dates(plan.starts_at, plan.ends_at)
    return Plan(
        name=clean_name(plan.name),
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        priority=plan.priority,
        sections=clean_words(",".join(plan.sections), "sections"),
        tags=clean_words(",".join(plan.tags), "tags"),
        not_tags=clean_words(",".join(plan.not_tags), "not_tags"),
        countries=clean_countries(",".join(plan.countries)),
        on_sensitive=plan.on_sensitive,
        cap_views=plan.cap_views,
        cap_days=plan.cap_days,
        days_between=plan.days_between,
        holdout_percent=plan.holdout_percent,
    )


def check_dates(starts_at: datetime | None, ends_at: datetime | None) -> None:
    """InvalidInput where an appeal would end before it begins."""
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise InvalidInput("appeal_dates", "An appeal ends after it begins.", field="ends_at")
