"""What the doctor finds about polls."""

import pytest

from membership.operations.examining import polls
from membership.polls import keys
from tests.factories.polls import cast_ballot, close_poll, make_patron, make_poll
from tests.polls.tampering import tamper

pytestmark = pytest.mark.usefixtures("app")


def codes() -> list[str]:
    return [finding.code for finding in polls.examine()]


def test_an_open_poll_and_its_key_belong_together():
    assert codes() == []
    make_patron()
    poll = make_poll()
    assert codes() == ["poll_keys"]
    file = keys.folder() / f"{poll.public_id}.key"
    kept = file.read_bytes()
    file.unlink()
    assert codes() == ["poll_without_key"]
    file.write_bytes(kept)
    close_poll(poll)
    assert codes() == []
    file.write_bytes(kept)
    assert codes() == ["key_without_poll"]


def test_a_poll_in_trouble_is_told_until_it_is_cancelled():
    olena = make_patron()
    poll = make_poll()
    cast_ballot(poll, olena, [1])
    tamper("DELETE FROM sealed_ballots")
    close_poll(poll)
    assert codes() == ["poll_in_trouble", "poll_keys"]
