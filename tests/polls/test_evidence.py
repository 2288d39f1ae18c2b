"""What can be checked by a program that shares no code with us: nothing can be changed, taken out, put in, cut off."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from membership.cli import main
from membership.db import db
from membership.polls import queries, services
from membership.polls.queries import proof
from membership.polls.queries.facts import opening_facts
from membership.polls.rules import chain
from tests.factories.polls import CLOSES, cast_ballot, close_poll, make_patrons, make_poll
from tests.polls.tampering import tamper

VERIFIER = Path(__file__).parents[2] / "docs" / "verify_poll.py"
BALLOTS = ([0, 1], [0], [2], [], [1, 2], [0, 3], [3])

pytestmark = pytest.mark.usefixtures("app")


def verify(evidence, *arguments: str) -> tuple[int, str]:
    """Run the verifier as anybody would: another interpreter, isolated from our packages."""
    given = evidence if isinstance(evidence, str) else json.dumps(evidence)
    command = [sys.executable, "-I", "-S", str(VERIFIER), "-", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def noted(poll) -> str:
    seq, head = queries.head_of(poll.id)
    return f"{seq}:{head}"


@pytest.fixture
def voted():
    """An open poll with seven ballots, all linked; its receipts; a head that was noted before the last two."""
    people = make_patrons(len(BALLOTS))
    poll = make_poll(publish_from=5)
    receipts = []
    for i, (person, ballot) in enumerate(zip(people, BALLOTS, strict=True)):
        if i == 5:
            services.link(poll.id)
            early = noted(poll)
        receipts.append(cast_ballot(poll, person, ballot).receipt)
    services.link(poll.id)
    return poll, receipts, early


def test_a_poll_holds_from_its_opening_to_its_result(voted):
    poll, receipts, early = voted
    late = noted(poll)
    code, said = verify(queries.evidence(poll.id), "--head", early, "--head", late)
    assert (code, said.splitlines()[0]) == (0, "Everything holds: 7 ballots saved, 7 people voted.")
    close_poll(poll)
    for with_ballots in (False, True):
        evidence = queries.evidence(poll.id, with_ballots=with_ballots)
        arguments = [word for receipt in receipts for word in ("--receipt", receipt)]
        code, said = verify(evidence, "--head", early, "--head", late, "--head", noted(poll), *arguments)
        assert (code, said.splitlines()[0]) == (0, "Everything holds: 7 ballots saved, 7 people voted.")


def test_a_poll_whose_newest_ballots_are_not_linked_yet_holds(voted):
    poll, _, early = voted
    cast_ballot(poll, make_voter_again(poll), [1])
    assert verify(queries.evidence(poll.id), "--head", early)[0] == 0


def make_voter_again(poll) -> int:
    query = text("SELECT min(person_id) FROM roll_entries WHERE poll_id = :id").bindparams(id=poll.id)
    return db.session.scalar(query)


def test_a_receipt_that_was_replaced_or_invented_is_told(voted):
    poll, receipts, _ = voted
    newer = cast_ballot(poll, make_voter_again(poll), [1]).receipt
    close_poll(poll)
    evidence = queries.evidence(poll.id)
    assert verify(evidence, "--receipt", newer.upper())[0] == 0
    for gone in (receipts[0], "00000-00000-00000-00000"):
        code, said = verify(evidence, "--receipt", gone)
        assert (code, f"receipt {gone}" in said) == (1, True)


HEX = "'" + "ab" * 32 + "'"  # stands for <hex> below
# What the owner of the database does to a closed poll, and the part of the evidence that gives it away.
CRIMES = {
    # chain_links
    "UPDATE chain_links SET entry = <hex> WHERE seq = 3": "link 3",
    "UPDATE chain_links SET head = <hex> WHERE seq = 3": "link 3",
    "UPDATE chain_links SET kind = 'opening' WHERE seq = 3": "link 3",
    "DELETE FROM chain_links WHERE seq = 3": "link 3",
    "DELETE FROM chain_links WHERE seq = (SELECT max(seq) FROM chain_links)": "the link of the close is missing",
    "DELETE FROM chain_links WHERE seq > 4": "the link of the close is missing",
    "INSERT INTO chain_links (poll_id, seq, kind, entry, head) SELECT poll_id, seq + 1, 'ballot', <hex>, <hex> "
    "FROM chain_links WHERE seq = (SELECT max(seq) FROM chain_links)": "link 9",
    "UPDATE chain_links SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)|"
    "UPDATE chain_links SET seq = -seq WHERE seq < 0": "link 2",
    # ballot_commitments
    "UPDATE ballot_commitments SET commitment = <hex> WHERE id = (SELECT min(id) FROM ballot_commitments)": "number 1",
    "DELETE FROM ballot_commitments WHERE id = (SELECT min(id) FROM ballot_commitments)": "commitments: number 1",
    "DELETE FROM ballot_commitments WHERE id = (SELECT max(id) FROM ballot_commitments)": "1 that are linked",
    "INSERT INTO ballot_commitments (poll_id, commitment) SELECT id, <hex> FROM polls": "1 were never linked",
    "UPDATE ballot_commitments SET id = -id": "number 1 is not",
    # counted_ballots
    "UPDATE counted_ballots SET choice = '3' WHERE choice = '0,1'": "counted",
    "DELETE FROM counted_ballots WHERE choice = '0,1'": "receipts",
    "INSERT INTO counted_ballots (poll_id, receipt_hash, choice) SELECT id, <hex>, '3' FROM polls": "receipts",
    "UPDATE counted_ballots SET receipt_hash = <hex> WHERE choice = '0,1'": "receipts",
    "UPDATE counted_ballots SET choice = CASE choice WHEN '0' THEN '3' ELSE '0' END WHERE choice < '4'": "opened",
    # poll_results
    "UPDATE poll_results SET n_set_aside = 1, n_voted = 8": "closing",
    "UPDATE poll_results SET n_blank = 2": "closing",
    "UPDATE poll_results SET ballots_digest = <hex>": "closing",
    "UPDATE poll_results SET choices_digest = <hex>": "closing",
    "UPDATE poll_results SET blind = <hex>": "ballots",
    "UPDATE poll_results SET rule_version = 'spav/9'": "closing",
    # polls, poll_options
    "UPDATE polls SET title = 'Another question'": "opening",
    "UPDATE polls SET n_seats = 3": "opening",
    "UPDATE polls SET lot_seed = order_seed": "opening",
    "UPDATE polls SET n_roll = 70": "opening",
    "UPDATE polls SET roll_digest = lot_seed": "opening",
    "UPDATE polls SET joined_before = closes_at": "opening",
    "UPDATE polls SET publish_from = NULL": "opening",
    "UPDATE polls SET state = 'open'": "it was closed",
    "UPDATE polls SET closed_at = closes_at, opened_at = closes_at": "opening",
    "UPDATE poll_options SET title = 'Another topic' WHERE position = 0": "opening",
    "DELETE FROM poll_options WHERE position = 3": "opening",
    "UPDATE poll_options SET position = CASE position WHEN 0 THEN -1 ELSE -2 END WHERE position IN (0, 1)|"
    "UPDATE poll_options SET position = position + 2 WHERE position = -1|"
    "UPDATE poll_options SET position = position + 2 WHERE position = -2": "opening",
    # roll_entries
    "UPDATE roll_entries SET has_voted = NOT has_voted": "voted",
}


@pytest.mark.parametrize("crime", CRIMES)
def test_whatever_the_owner_of_the_database_changes_is_named(voted, crime):
    poll, _, early = voted
    late = noted(poll)
    close_poll(poll)
    statements = crime.replace("<hex>", HEX).split("|")
    if "position = CASE" in crime and db.engine.dialect.name != "sqlite":
        statements = ["ALTER TABLE poll_options DROP CONSTRAINT ck_poll_options_position_from_zero", *statements]
    tamper(*(["PRAGMA ignore_check_constraints = ON"] if db.engine.dialect.name == "sqlite" else []), *statements)
    code, said = verify(queries.evidence(poll.id, with_ballots=True), "--head", early, "--head", late)
    assert code == 1, said
    assert CRIMES[crime] in said


def test_a_changed_result_is_named(voted):
    poll, _, _ = voted
    close_poll(poll)
    count = dict(queries.result_of(poll.id).count)
    value = ":count" if db.engine.dialect.name == "sqlite" else "CAST(:count AS json)"
    tamper(f"UPDATE poll_results SET count = {value}", count=json.dumps(count | {"winners": [3, 1]}))  # noqa: S608
    code, said = verify(queries.evidence(poll.id))
    assert (code, "result, other_rules or receipts: not what was stated" in said) == (1, True)


def sealed_anew(evidence, **closing):
    """Evidence in which the close says something else, with digests as whoever owns it all would write them."""
    part = json.loads(json.dumps(evidence))
    part["closing"] |= closing | {"result_digest": chain.digest_of(part["result"])}
    seq, kind, _, _ = part["links"][-1]
    entry = chain.digest_of(part["closing"])
    part["links"][-1] = [seq, kind, entry, chain.head_after(part["links"][-2][3], kind, entry)]
    return part


def test_a_close_that_does_not_fit_the_opening_is_named(voted):
    poll, _, _ = voted
    close_poll(poll)
    honest = queries.evidence(poll.id)
    assert verify(sealed_anew(honest))[0] == 0
    result = honest["result"]
    lies = {
        "by another rule": sealed_anew(honest | {"result": result | {"rule": "approval"}}),
        "rule than the one": sealed_anew(honest, rule_version="approval/1"),
        "another number of seats": sealed_anew(honest | {"result": result | {"seats": 3}}),
        "or of blank ones": sealed_anew(honest, blank=2),
        "1 of them blank": sealed_anew(honest | {"result": result | {"n_blank": 2}}, blank=2),
        "before the end": sealed_anew(honest, closed_at="2026-11-20T12:00:00.000000Z"),
        "there are 6": sealed_anew(
            honest | {"ballots": [pair for pair in honest["ballots"] if pair[0] != "3"]},
            choices_digest=chain.digest_of_lines(
                [
                    honest["choices_blind"],
                    *sorted(text for text, n in honest["ballots"] for _ in range(n) if text != "3"),
                ]
            ),
        ),
    }
    for sentence, lie in lies.items():
        code, said = verify(lie)
        assert (code, sentence in said) == (1, True), said


def test_what_cannot_be_checked_is_said(voted):
    poll, receipts, _ = voted
    code, said = verify(queries.evidence(poll.id), "--receipt", receipts[0])
    assert (code, "cannot be checked before the close" in said) == (1, True)
    code, said = verify(queries.evidence(poll.id), f"--head=-1:{noted(poll).partition(':')[2]}")
    assert (code, "numbered from 0" in said) == (1, True)


def test_a_chain_that_is_made_anew_does_not_fit_a_head_that_was_noted(voted):
    """Whoever can write everything can write a poll that holds in itself, but no head that was noted before."""
    poll, _, early = voted
    other = make_poll(publish_from=5)
    cast_ballot(other, make_voter_again(poll), [1])
    services.link(other.id)
    evidence = queries.evidence(other.id)
    assert verify(evidence)[0] == 0
    code, said = verify(evidence, "--head", early)
    assert (code, "head 5" in said) == (1, True)
    whole = queries.evidence(poll.id)
    seq = len(whole["links"]) - 2
    late = f"{whole['links'][-1][0]}:{whole['links'][-1][3]}"
    cut = whole | {"links": whole["links"][: seq + 1], "commitments": whole["commitments"][:seq], "voted": seq}
    assert verify(cut)[0] == 0
    code, said = verify(cut, "--head", late)
    assert (code, "cut off" in said) == (1, True)


@pytest.mark.parametrize("broken", ["", "{}", "[]", '{"format": "membership-poll-evidence/1"}', "\x00"])
def test_what_is_no_evidence_is_refused_in_a_sentence(broken):
    code, said = verify(broken)
    assert code in {1, 2}
    assert "Traceback" not in said


def test_evidence_that_is_read_while_the_poll_closes_holds(app, voted, monkeypatch):
    poll_id = voted[0].id

    def close_meanwhile() -> None:
        with app.app_context():
            services.close(poll_id, CLOSES)

    def facts(*args):
        monkeypatch.undo()
        closing = threading.Thread(target=close_meanwhile)
        closing.start()
        closing.join(30)
        return opening_facts(*args)

    monkeypatch.setattr(proof, "opening_facts", facts)
    code, said = verify(queries.evidence(poll_id))
    assert (code, said.splitlines()[0]) == (0, "Everything holds: 7 ballots saved, 7 people voted.")
    db.session.rollback()
    after = queries.evidence(poll_id)
    assert (after["state"], verify(after)[0]) == ("closed", 0)


def test_the_evidence_comes_out_of_the_command_line(app, voted):
    poll, _, _ = voted
    close_poll(poll)
    runner = app.test_cli_runner(catch_exceptions=False)
    public = json.loads(runner.invoke(main, ["poll", "evidence", poll.public_id], obj=script_info(app)).output)
    assert "opened" not in public
    assert verify(public)[0] == 0
    private = runner.invoke(main, ["poll", "evidence", poll.public_id, "--with-ballots"], obj=script_info(app))
    assert len(json.loads(private.output)["opened"]) == 7
    missing = runner.invoke(main, ["poll", "evidence", "pol_nothing"], obj=script_info(app))
    assert (missing.exit_code, "no such poll" in missing.output) == (1, True)


def script_info(app):
    from flask.cli import ScriptInfo

    return ScriptInfo(create_app=lambda: app)


def test_the_verifier_is_one_short_file_of_the_standard_library():
    lines = VERIFIER.read_text().splitlines()
    assert len(lines) < 200
    assert {line for line in lines if line.startswith(("import ", "from "))} == {
        "import argparse",
        "import hashlib",
        "import json",
        "import sys",
    }
