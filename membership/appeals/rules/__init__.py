"""What an appeal may be and say: `states` its life, `plans` its rules, `texts` its words. Pure functions of values."""

from membership.appeals.rules.plans import (
    DAYS,
    DAYS_BETWEEN,
    HOLDOUT,
    LONGEST_NAME,
    PRIORITIES,
    VIEWS,
    Plan,
    check_dates,
    check_number,
    clean_countries,
    clean_name,
    clean_plan,
    clean_words,
)
from membership.appeals.rules.states import (
    NEXT,
    SHELVES,
    Deed,
    State,
    check_sooner,
    first_moment,
    is_over,
    is_shown,
    may_become,
    may_change,
)
from membership.appeals.rules.texts import (
    AMOUNT,
    KEYS,
    LENGTHS,
    PARTS,
    WEIGHTS,
    Fault,
    Remark,
    Texts,
    Variant,
    Warn,
    clean_part,
    clean_variant,
    faults_of,
    is_whole,
    languages_of,
    next_key,
    warnings_of,
)

__all__ = [
    "AMOUNT", "DAYS", "DAYS_BETWEEN", "HOLDOUT", "KEYS", "LENGTHS", "LONGEST_NAME", "NEXT", "PARTS",
    "PRIORITIES", "SHELVES", "VIEWS", "WEIGHTS", "Deed", "Fault", "Plan", "Remark", "State", "Texts", "Variant", "Warn",
    "check_dates", "check_number", "check_sooner", "clean_countries", "clean_name", "clean_part", "clean_plan",
    "clean_variant", "clean_words", "faults_of", "first_moment", "is_over", "is_shown", "is_whole", "languages_of",
    "may_become", "may_change", "next_key", "warnings_of",
]  # fmt: skip
