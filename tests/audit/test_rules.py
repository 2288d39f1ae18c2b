"""What goes under the hash of a row, to the letter, and what may not stand in one."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from membership.audit.rules import (
    COMMAND,
    NOTHING,
    Facts,
    canonical,
    check_plain,
    digest_of_reason,
    hash_of,
    is_logged,
)

AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


def facts(**changes) -> Facts:
    values = {
        "at": AT, "actor": "staff:per_a", "action": "refund.asked", "subject": "payment:2026-000001", "about": "per_b",
        "reason_digest": None, "before": {"left_minor": 800}, "after": {"currency": "EUR", "minor": 400},
    }  # fmt: skip
    return Facts(**(values | changes))


def test_the_hash_is_sha_256_over_the_previous_one_and_canonical_json():
    written = (
        NOTHING + '{"about":"per_b","action":"refund.asked","actor":"staff:per_a",'
        '"after":{"currency":"EUR","minor":400},"at":"2026-11-03T09:30:00.000000+00:00","before":{"left_minor":800},'
        '"reason":null,"subject":"payment:2026-000001"}'
    )
    assert hash_of(NOTHING, facts()) == hashlib.sha256(written.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"at": AT + timedelta(microseconds=1)},
        {"actor": "staff:per_c"},
        {"action": "refund.done"},
        {"subject": "payment:2026-000002"},
        {"about": None},
        {"reason_digest": "0" * 64},
        {"before": {"left_minor": 801}},
        {"before": None},
        {"after": {"currency": "EUR", "minor": 401}},
    ],
)
def test_whatever_changes_changes_the_hash(change):
    assert hash_of(NOTHING, facts(**change)) != hash_of(NOTHING, facts())
    assert hash_of("1" * 64, facts()) != hash_of(NOTHING, facts())


def test_the_order_of_keys_and_the_zone_of_the_moment_change_nothing():
    elsewhere = AT.astimezone(timezone(timedelta(hours=2)))
    assert hash_of(NOTHING, facts(at=elsewhere, after={"minor": 400, "currency": "EUR"})) == hash_of(NOTHING, facts())


def test_letters_of_every_alphabet_stand_as_they_are():
    assert canonical({"b": 1, "a": ["Їжак", None, True]}) == '{"a":["Їжак",null,true],"b":1}'.encode()


def test_the_same_reason_has_another_digest_under_another_salt():
    assert digest_of_reason("a", "They asked.") != digest_of_reason("b", "They asked.")


@pytest.mark.parametrize(
    "values",
    [
        {"to": "olena@example.org"},
        {"list": [{"deep": "a@b"}]},
        {"a@b": 1},
        {"ratio": 0.5},
        {"raw": b"x"},
        {"words": "x" * 2001},
    ],
)
def test_addresses_texts_and_what_json_does_not_give_back_are_refused(values):
    with pytest.raises(ValueError, match="audit log keeps"):
        check_plain(values)


def test_ids_amounts_states_and_names_of_fields_are_what_it_is_for():
    check_plain({"minor": 400, "is_paid": True, "role": None, "fields": ["email"], "topic": "top_x"})
    check_plain(None)


@pytest.mark.parametrize(
    ("actor", "is_in"), [("staff:per_a", True), (COMMAND, True), ("member", False), ("system", False), ("staff", False)]
)
def test_only_what_staff_and_the_machine_do_is_logged(actor, is_in):
    assert is_logged(actor) is is_in
