from datetime import timedelta

import pytest

from membership.mail.rules import GIVE_UP_AFTER, Failure, backoff, most_attempts, next_step

MINUTE = timedelta(minutes=1)


def test_attempts_come_after_1_2_4_minutes_and_then_every_hour():
    assert [backoff(n) // MINUTE for n in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert backoff(10_000) == 60 * MINUTE


def test_the_attempts_fill_three_days():
    waits = sum((backoff(n) for n in range(1, most_attempts())), timedelta())
    assert GIVE_UP_AFTER - timedelta(hours=1) < waits <= GIVE_UP_AFTER


@pytest.mark.parametrize("failure", [Failure.TEMPORARY, Failure.RENDERING])
def test_what_may_pass_is_given_up_after_three_days(failure):
    assert next_step(failure, most_attempts() - 1, 0) == 60 * MINUTE
    assert next_step(failure, most_attempts(), 0) is None


def test_a_permanent_no_is_taken_for_one():
    assert next_step(Failure.PERMANENT, 1, 0) is None


def test_a_server_is_waited_for_without_end_and_asked_every_five_minutes():
    assert next_step(Failure.SERVER, 1, 0) == MINUTE
    assert next_step(Failure.SERVER, 100_000, 0) == 5 * MINUTE


def test_the_second_silence_after_the_text_is_the_last():
    assert next_step(Failure.UNANSWERED, 1, 1) == 30 * MINUTE
    assert next_step(Failure.UNANSWERED, 2, 2) is None
