"""Who voted for what: nothing public tells it before the close, and nothing that is left tells it afterwards."""

import base64
import hashlib
import hmac
import itertools
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from membership.accounts.models import Person
from membership.db import db
from membership.kernel import ids
from membership.polls import jobs, keys, queries
from membership.polls.models import CountedBallot, Poll, SealedBallot
from membership.polls.sealing import plain_receipt
from tests.conftest import SECRET
from tests.factories.polls import NOW, cast_ballot, close_poll, make_patron, make_patrons, make_poll

CHOICES = ([0], [1], [2], [3], [0, 1], [1, 2], [2, 3], [], [0, 2], [1, 3], [0, 1, 2], [0, 1, 2, 3])


def forms_of(secret: bytes) -> set[bytes]:
    """How bytes may lie in a file: raw, hexadecimal, base64."""
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)[:-2]}


def database_files(folder: Path) -> dict[str, bytes]:
    """Every byte of the database: for SQLite file, log and index; for PostgreSQL the whole data directory."""
    if db.engine.dialect.name == "sqlite":
        place = Path(db.engine.url.database)
        found = [path for path in place.parent.iterdir() if path.name.startswith(place.name)]
    else:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CHECKPOINT"))
            root = Path(connection.scalar(text("SHOW data_directory")))
        found = [path for path in root.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in found if path.exists()}


def heap_files(model) -> bytes:
    """The bytes of one table of PostgreSQL, old row versions among them."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        root = Path(connection.scalar(text("SHOW data_directory")))
        path = connection.scalar(text("SELECT pg_relation_filepath(:name)"), {"name": model.__tablename__})
    return (root / path).read_bytes()


def backup(folder: Path) -> bytes:
    """A backup as README tells to take it."""
    if db.engine.dialect.name == "sqlite":
        target = folder / "backup.db"
        with sqlite3.connect(db.engine.url.database) as source, sqlite3.connect(target) as copy:
            source.backup(copy)
        source.close()
        copy.close()
        return target.read_bytes()
    with db.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = [connection.execute(text(f"SELECT * FROM {name}")).all() for name in names]  # noqa: S608 - our own tables
    return repr(rows).encode()


def everybody() -> list[Person]:
    return list(db.session.scalars(select(Person).order_by(Person.id)))


def test_after_the_close_nothing_that_is_left_joins_voter_and_choice(app, tmp_path):
    people = make_patrons(len(CHOICES))
    poll = make_poll(publish_from=5)
    receipts = {}
    for person, choice in zip(people, CHOICES, strict=True):
        cast_ballot(poll, person, [3])
        jobs.link(NOW)
        receipts[person] = cast_ballot(poll, person, choice).receipt
    raw_key = (keys.folder() / f"{poll.public_id}.key").read_bytes()
    key = keys.find(poll.public_id)
    sealed = {row.voter_key: row.sealed for row in db.session.scalars(select(SealedBallot))}
    nonces = [key.open(voter_key, content).nonce for voter_key, content in sealed.items()]
    taken_during_the_poll = backup(tmp_path)
    db.session.rollback()
    poll = close_poll(poll)
    assert (poll.state, poll.wiped_at is None) == ("closed", False)
    db.session.rollback()
    files = database_files(tmp_path)
    # The key, the nonces and the receipts are nowhere: not in the file, its log, nor in the backup.
    secrets = [raw_key, *(bytes.fromhex(nonce) for nonce in nonces)]
    for secret in [form for each in secrets for form in forms_of(each)]:
        assert not [name for name, content in files.items() if secret in content]
        assert secret not in taken_during_the_poll
    for shown in receipts.values():
        for form in (shown.encode(), plain_receipt(shown).encode()):
            assert not [name for name, content in files.items() if form in content]
            assert form not in taken_during_the_poll
    assert not keys.folder().exists() or [path.name for path in keys.folder().iterdir()] == [keys.MARK]
    # The sealed ballots, which the key could open, are gone from the tables' own files as well.
    traces = [*sealed.values(), *(voter_key.encode() for voter_key in sealed)]
    if db.engine.dialect.name == "sqlite":
        assert not [name for name, content in files.items() for trace in traces if trace in content]
    else:
        assert not [trace for trace in traces if trace in heap_files(SealedBallot)]
        assert not [trace for trace in traces if trace in heap_files(CountedBallot)]
    assert_no_row_tells_its_voter(poll)


def assert_no_row_tells_its_voter(poll) -> None:
    """Try what somebody could who has the whole database, SECRET_KEY and all that is public: but not the key."""
    voters = everybody()
    counted = db.session.execute(select(CountedBallot.receipt_hash, CountedBallot.choice)).all()
    names = {row.receipt_hash for row in counted}
    evidence = queries.evidence(poll.id, with_ballots=True)
    commitments = set(evidence["commitments"])
    known = [SECRET, poll.public_id, poll.lot_seed, poll.order_seed, *(link[3] for link in evidence["links"][:3])]
    choices = ["", *(",".join(map(str, c)) for n in (1, 2, 3, 4) for c in itertools.combinations(range(4), n))]
    for voter in voters:
        own = [str(voter.id), voter.public_id, voter.email]
        values = own + [a + glue + b for a, b in itertools.permutations(own + known, 2) for glue in ("", "|")]
        digests = {ids.digest(value) for value in values}
        digests |= {hmac.new(k.encode(), v.encode(), hashlib.sha256).hexdigest() for k in known for v in values}
        assert not digests & names
        assert not digests & commitments
        assert not {ids.digest(f"{nonce}|{choice}") for nonce in digests for choice in choices} & commitments
    if db.engine.dialect.name == "postgresql":
        # All choices were written in one transaction and in the order of their receipts; the roll was, too.
        rows = db.session.execute(text("SELECT xmin::text, receipt_hash FROM counted_ballots ORDER BY ctid")).all()
        assert len({row[0] for row in rows}) == 1
        assert [row[1] for row in rows] == sorted(names)
        roll = db.session.execute(text("SELECT xmin::text, person_id FROM roll_entries ORDER BY ctid")).all()
        assert len({row[0] for row in roll}) == 1
        assert [row[1] for row in roll] == [voter.id for voter in voters]
    else:
        rows = db.session.execute(text("SELECT receipt_hash FROM counted_ballots ORDER BY rowid")).all()
        assert [row[0] for row in rows] == sorted(names)


def snapshot(poll: Poll, others: list[int], receipts: list[str]) -> dict:
    """All that anybody but the voter can ask of an open poll."""
    return {
        "evidence": queries.evidence(poll.id),
        "head": queries.head_of(poll.id),
        "turnout": queries.turnout(poll.id),
        "parts": [queries.my_part(poll, person, NOW).current for person in others],
        "receipts": [queries.find_receipt(poll, receipt) for receipt in receipts],
        "hashes": queries.receipt_hashes(poll.id),
        "result": queries.result_of(poll.id),
        "published": queries.published_ballots(poll),
        "winners": queries.winners_now(poll),
    }


def differences(before, after, path="") -> set[str]:
    if isinstance(before, dict):
        return set().union(*(differences(before[name], after[name], f"{path}.{name}") for name in before))
    return set() if before == after else {path}


@pytest.mark.usefixtures("app")
def test_the_difference_that_one_vote_makes_is_the_same_for_every_choice():
    """The differencing attack: look at everything, let one member vote, look again; by eight choices."""
    olena = make_patron()
    others = make_patrons(6)
    seen = []
    for choice in CHOICES[:8]:
        poll = make_poll(publish_from=5)
        receipts = [cast_ballot(poll, person, [person % 4]).receipt for person in others]
        jobs.link(NOW)
        before = snapshot(poll, others, receipts)
        cast_ballot(poll, olena, choice)
        between = snapshot(poll, others, receipts)
        jobs.link(NOW)
        after = snapshot(poll, others, receipts)
        seen.append((differences(before, between), differences(between, after)))
        new = set(after["evidence"]["commitments"]) - set(before["evidence"]["commitments"])
        assert len(new) == 1
        assert after["turnout"].n_voted - before["turnout"].n_voted == 1
        assert after["result"] is after["published"] is None
    assert all(each == seen[0] for each in seen)
    assert seen[0][0] == {".evidence.commitments", ".evidence.voted", ".turnout"}
    assert seen[0][1] == {".evidence.links", ".head"}


@pytest.mark.usefixtures("app")
def test_equal_choices_leave_nothing_equal():
    people = make_patrons(20)
    poll = make_poll()
    for person in people:
        cast_ballot(poll, person, [1])
    rows = db.session.scalars(select(SealedBallot)).all()
    for column in ("voter_key", "sealed", "receipt_key"):
        assert len({getattr(row, column) for row in rows}) == 20
    assert len(set(queries.evidence(poll.id)["commitments"])) == 20


@pytest.mark.usefixtures("app")
def test_a_ballot_is_written_into_three_tables_and_nothing_is_said_about_it(caplog, capfd):
    olena = make_patron()
    poll = make_poll()

    def contents() -> dict[str, list]:
        tables = db.metadata.sorted_tables
        return {table.name: sorted(map(repr, db.session.execute(select(table)).all())) for table in tables}

    caplog.set_level("DEBUG")
    for choice in ([1], [2, 3]):
        before = contents()
        caplog.clear()
        capfd.readouterr()
        cast_ballot(poll, olena, choice)
        changed = {name for name, rows in contents().items() if rows != before[name]}
        first_only = {"roll_entries"} if choice == [1] else set()
        assert changed == {"sealed_ballots", "ballot_commitments"} | first_only
        assert caplog.records == []
        assert "".join(capfd.readouterr()) == ""


@pytest.mark.usefixtures("app")
def test_no_table_of_polls_has_a_column_for_the_time_of_a_vote():
    for model in (SealedBallot, CountedBallot):
        assert not [column.name for column in model.__table__.columns if column.name.endswith("_at")]


@pytest.mark.usefixtures("app")
def test_a_backup_of_a_poll_is_worthless_without_the_key_and_cancels_it(app, tmp_path):
    """A backup that is put back while the poll is open, on the same machine: it is noticed by the remembered head."""
    if db.engine.dialect.name != "sqlite":
        return
    people = make_patrons(6)
    poll = make_poll()
    cast_ballot(poll, people[0], [1])
    jobs.link(NOW)
    backup(tmp_path)
    for person in people[1:]:
        cast_ballot(poll, person, [2])
    jobs.link(NOW)
    poll_id, place = poll.id, db.engine.url.database
    db.session.remove()
    db.engine.dispose()
    for suffix in ("-wal", "-shm"):
        Path(place + suffix).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", place)
    jobs.link(NOW)
    poll = db.session.get_one(Poll, poll_id)
    assert (poll.state, poll.trouble) == ("cancelled", "rolled_back")
