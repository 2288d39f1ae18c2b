"""The database: one SQLAlchemy session, one transaction per use case, and no outside call inside one.

SQLite (WAL, synchronous=FULL, foreign keys) and PostgreSQL run the same models and migrations. On SQLite a
writing transaction is BEGIN IMMEDIATE and stands for all row locks (decision 3).
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    DDL,
    DateTime,
    Engine,
    Executable,
    ForeignKeyConstraint,
    MetaData,
    Row,
    Table,
    event,
    select,
    text,
)
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from membership.kernel import clock, faults

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC with microseconds. A naive value is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; store UTC (naive on SQLite, which knows no zones)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A moment without a time zone: {value!r}.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware moment in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The mother of every table: named constraints, aware moments."""

    registry = registry(metadata=MetaData(naming_convention=NAMES), type_annotation_map={datetime: UTCDateTime})


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
if TYPE_CHECKING:  # Flask-SQLAlchemy makes its Model from Base at run time; the type checker follows Base
    Model = Base
else:
    Model = db.Model

_depth: ContextVar[int] = ContextVar("transaction_depth", default=0)
_hints: ContextVar[tuple[tuple[str, tuple[int | str, ...]], ...]] = ContextVar("hints", default=())
_last_acts: ContextVar[tuple[Callable[[], None], ...]] = ContextVar("last_acts", default=())


class OutsideCallInTransaction(RuntimeError):  # noqa: N818 - reads as a sentence
    """A program error: somebody tried to reach the outside while holding a database transaction."""


def in_transaction() -> bool:
    """Whether a `transaction()` is open here."""
    return _depth.get() > 0


@contextmanager
def transaction(label: str) -> Iterator[None]:
    """One use case, all or nothing: commit at the end, roll back on any exception.

    `label` (such as "contributions.start") names the two fault points `<label>:before-commit` and
    `<label>:after-commit`. Inside another transaction it joins that one, which alone commits. Objects read
    before it began are expired, so that every decision inside rests on what the database says now.
    """
    if in_transaction():
        yield
        return
    session = db.session
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("Something was changed outside a transaction().")
    session.rollback()  # ends the read transaction, if there is one
    token, hints_token, acts_token = _depth.set(1), _hints.set(()), _last_acts.set(())
    try:
        # BEGIN IMMEDIATE (SQLite) now, before anything is read: see _tame_sqlite.
        session.connection(execution_options={"immediate": True})
        yield
        session.flush()
        for act in _last_acts.get():
            act()
        faults.point(f"{label}:before-commit")
        session.commit()
        wanted = _hints.get()
    except BaseException:
        session.rollback()
        raise
    finally:
        _depth.reset(token)
        _hints.reset(hints_token)
        _last_acts.reset(acts_token)
    faults.point(f"{label}:after-commit")
    for job, args in wanted:
        _send_hint(job, args)


def do_last(act: Callable[[], None]) -> None:
    """Have `act` run as the last thing inside this transaction(), when all else is written and every row is locked.

    For what everybody waits for (the one end of a chain): whoever holds it waits for nobody any more, so that no ring
    of waiting comes about, and others wait for a commit only.
    """
    if not in_transaction():
        raise RuntimeError("Only a transaction() has an end.")
    _last_acts.set((*_last_acts.get(), act))


def hint(job: str, *args: int | str) -> None:
    """Ask the worker to run `job` (a name in `wiring.JOBS`) soon: after this transaction's commit.

    Only a hint: the rows are the truth, and the sweepers find them without it (ADR 0005). A queue that is
    down or full is logged, never an error for the reader.
    """
    if in_transaction():
        _hints.set((*_hints.get(), (job, args)))
    else:
        _send_hint(job, args)


def _send_hint(job: str, args: tuple[int | str, ...]) -> None:
    sender = current_app.extensions.get("membership.hints")
    if sender is None:
        return
    try:
        sender(job, *args)
    except Exception:  # a lost hint costs a minute, an error here would cost a reader their page
        logging.getLogger(__name__).warning("hint_lost", exc_info=True, extra={"job": job})


def read_alone(statement: Executable, values: dict[str, Any]) -> Row[Any] | None:
    """The one row of a read in Core, or None; for what every request asks for first.

    Where the session reads already, it is asked on its connection; else on one that is given back at once, and on
    PostgreSQL without BEGIN and ROLLBACK, each of which takes as long as the read itself.
    """
    with _reading() as connection:
        return connection.execute(statement, values).one_or_none()


def read_rows_alone(statement: Executable, values: dict[str, Any]) -> Sequence[Row[Any]]:
    """All rows of a read in Core, as `read_alone` reads one."""
    with _reading() as connection:
        return connection.execute(statement, values).all()


@contextmanager
def _reading() -> Iterator[Connection]:
    if db.session().in_transaction():
        yield db.session.connection()
        return
    engine = db.engine if is_sqlite() else db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def read_at_once() -> None:
    """From here on every read sees the same moment, until the next transaction; for what must fit together.

    SQLite's reads do so anyway; PostgreSQL's, only where it is asked for. Inside a transaction() it is a program error.
    """
    if in_transaction():
        raise RuntimeError("A moment is chosen before a transaction().")
    db.session.rollback()
    if not is_sqlite():
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def take_time() -> None:
    """Let the statements of this transaction() take as long as they need, whatever limit PostgreSQL was given."""
    if not is_sqlite():
        db.session.execute(text("SET LOCAL statement_timeout = 0"))


@contextmanager
def outside_call(label: str) -> Iterator[None]:
    """Mark a call to another company's machine (Stripe, SMTP), with fault points before and after it.

    Raises OutsideCallInTransaction inside a transaction; ends an open read transaction, so that no
    connection is held while the network takes its time.
    """
    if in_transaction():
        raise OutsideCallInTransaction(f"{label} was called inside a transaction.")
    db.session.rollback()
    faults.point(f"{label}:before-call")
    yield
    faults.point(f"{label}:after-call")


def is_sqlite() -> bool:
    """Whether this installation runs on SQLite."""
    return db.engine.dialect.name == "sqlite"


# Append-only tables -----------------------------------------------------------------------------------

_SQLITE_GUARD = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
)
_POSTGRES_FUNCTION = (
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger AS $$ "
    "BEGIN RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME; END $$ LANGUAGE plpgsql"
)
_POSTGRES_GUARD = (
    "CREATE TRIGGER {table}_append_only BEFORE {what} OR DELETE OR TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
)


def append_only_statements(table: str, dialect: str, guarded: Sequence[str] = ()) -> list[str]:
    """The SQL that makes `table` refuse every DELETE and UPDATE; used by models and by migrations.

    Where `guarded` names columns, only an UPDATE of those is refused.
    """
    change = f"UPDATE OF {', '.join(guarded)}" if guarded else "UPDATE"
    if dialect == "sqlite":
        verbs = (("update", change), ("delete", "DELETE"))
        return [_SQLITE_GUARD.format(table=table, verb=verb, what=what) for verb, what in verbs]
    return [_POSTGRES_FUNCTION.replace("%%", "%"), _POSTGRES_GUARD.format(table=table, what=change)]


def append_only(model: type[Base]) -> type[Base]:
    """Class decorator: rows of this table are written once. Databases made from the models refuse changes."""
    return append_only_but()(model)


def append_only_but(*movable: str) -> Callable[[type[Base]], type[Base]]:
    """As `append_only`, with columns that may change: whose row it is, for when two people turn out to be one, or
    words of ours that go when a person is erased.
    """

    def guard(model: type[Base]) -> type[Base]:
        table = model.__table__
        if not isinstance(table, Table):
            raise TypeError(f"{model.__name__} has no table of its own.")
        guarded = tuple(column.name for column in table.columns if column.name not in movable) if movable else ()
        for dialect in ("sqlite", "postgresql"):
            for statement in append_only_statements(table.name, dialect, guarded):
                ddl = DDL(statement.replace("%", "%%")).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
                event.listen(table, "after_create", ddl)
        table.info["append_only"] = True
        return model

    return guard


# The movable clock --------------------------------------------------------------------------------------


class ClockOffset(Model):
    """One row (id 1): by how many seconds the business clock is ahead of real time. Demo and tests only."""

    __tablename__ = "clock_offset"

    id: Mapped[int] = mapped_column(primary_key=True)
    seconds: Mapped[int] = mapped_column(default=0)


def set_clock_offset(seconds: int) -> None:
    """Move the business clock to real time plus `seconds`, for every process on this database."""
    with transaction("clock.move"):
        row = db.session.get(ClockOffset, 1)
        if row is None:
            db.session.add(ClockOffset(id=1, seconds=seconds))
        else:
            row.seconds = seconds
    _forget_offset()


_offset_read_at = float("-inf")


def _forget_offset() -> None:
    global _offset_read_at  # noqa: PLW0603 - one clock per process, one cached offset
    _offset_read_at = float("-inf")


def follow_movable_clock(app: Flask) -> None:
    """Let `clock.now()` follow the row in this app's database. Callers check that no live key is set.

    The row is read at most once a second per process, on a connection of its own.
    """
    with app.app_context():
        engine = db.engine
    known = timedelta()

    def offset() -> timedelta:
        nonlocal known
        global _offset_read_at
        if time.monotonic() - _offset_read_at > 1:
            with engine.connect() as connection:
                seconds = connection.scalar(select(ClockOffset.seconds).where(ClockOffset.id == 1))
            known, _offset_read_at = timedelta(seconds=seconds or 0), time.monotonic()
        return known

    _forget_offset()
    clock.use_offset(offset)


# Engines ------------------------------------------------------------------------------------------------


def init_db(app: Flask, database_url: str) -> None:
    """Bind the database to the app, with the engine options that each dialect needs."""
    # An error of the database is logged; the values of its statement, names and addresses among them, are not.
    options: dict[str, Any] = {"pool_pre_ping": False, "hide_parameters": True}
    if database_url.startswith("sqlite:///"):
        path = Path(database_url.removeprefix("sqlite:///"))
        if not path.is_absolute():
            path = Path.cwd() / path
        path.parent.mkdir(parents=True, exist_ok=True)
        database_url = f"sqlite:///{path}"
        options["connect_args"] = {"timeout": 15, "check_same_thread": False}
        options |= {"pool_size": 16, "max_overflow": 16}
    else:
        options |= {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 16, "pool_timeout": 10}
        options["connect_args"] = {
            "connect_timeout": 5,
            "options": "-c statement_timeout=30000 -c timezone=UTC",
        }
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        if is_sqlite():
            _tame_sqlite(db.engine)


def _tame_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        # What is deleted is overwritten with zeros: ballots of a closed poll leave no trace in the file.
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000", "secure_delete=ON",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


__all__ = [
    "Base",
    "ClockOffset",
    "ForeignKeyConstraint",
    "Model",
    "OutsideCallInTransaction",
    "UTCDateTime",
    "append_only",
    "append_only_but",
    "append_only_statements",
    "db",
    "do_last",
    "follow_movable_clock",
    "hint",
    "in_transaction",
    "init_db",
    "is_sqlite",
    "outside_call",
    "read_alone",
    "read_at_once",
    "read_rows_alone",
    "set_clock_offset",
    "take_time",
    "transaction",
]  # fmt: skip
