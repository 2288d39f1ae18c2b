"""Everything the sandbox knows, in one SQLite file.

Objects are kept as the JSON that the API answers, one table a kind, in order of creation. One lock serialises
all use: a call or a due task holds it for one transaction, and the whole of it is written or nothing. Without a
path the file is temporary and goes with the process. Memory stays flat, since nothing is cached across calls.
"""

import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from membership.sandbox.kinds import KINDS, Kind, Obj, kind_of_id

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timer (
    object TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, clock TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (object, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timer_due ON timer (clock, at, seq);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, request_id TEXT NOT NULL, status INTEGER NOT NULL,
    body TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY, event TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0, last_error TEXT);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (endpoint, state, seq);
CREATE INDEX IF NOT EXISTS delivery_event ON delivery (event);
"""


def dumps(value: Any) -> str:
    """JSON as the API writes it, compact."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Store:
    """See the module. All methods but `transaction` and `close` are for use inside a transaction."""

    def __init__(self, path: Path | None) -> None:
        self.lock = threading.RLock()
        self._temporary = path is None
        if path is None:
            with tempfile.NamedTemporaryFile(prefix="stripe-sandbox-", suffix=".db", delete=False) as file:
                path = Path(file.name)
        self.path = path
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._loaded: dict[str, tuple[Kind, Obj, str]] = {}
        self._depth = 0
        # What is still to be done in the present transaction, and what once it is written.
        self.before_commit: list[Callable[[], None]] = []
        self.after_commit: list[Callable[[], None]] = []
        self._prepare()

    def _prepare(self) -> None:
        if self._temporary:
            self.db.executescript("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;")
        else:
            self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        self.db.executescript("PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY;" + _SCHEMA)
        for kind in KINDS.values():
            self.db.execute(
                f"CREATE TABLE IF NOT EXISTS {kind.table}"
                " (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, body TEXT NOT NULL)"
            )
            for name in kind.indexed:
                self.db.execute(
                    f"CREATE INDEX IF NOT EXISTS {kind.table}_{name.replace('.', '_')} ON {kind.table}"
                    f" (json_extract(body, '{kind.filters[name]}'), seq)"
                )

    def close(self) -> None:
        """Let go of the file; a temporary one is deleted."""
        with self.lock:
            self.db.close()
        if self._temporary:
            for suffix in ("", "-journal"):
                with suppress(FileNotFoundError):
                    Path(str(self.path) + suffix).unlink()

    @contextmanager
    def transaction(self, keeps: Callable[[BaseException], bool] = lambda _: False) -> Iterator[None]:
        """Hold the lock and write all of the block, or nothing when it raises, unless `keeps` the error.

        May be nested; the outermost one decides.
        """
        with self.lock:
            if self._depth:
                yield
                return
            self._depth += 1
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._finish("COMMIT")
            except BaseException as error:
                self._finish("COMMIT" if keeps(error) else "ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def _finish(self, verb: str) -> None:
        try:
            if verb == "COMMIT":
                while self.before_commit:
                    self.before_commit.pop(0)()
                self.flush()
            self.db.execute(verb)
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        finally:
            self._loaded.clear()
            self.before_commit.clear()
            hooks, self.after_commit = self.after_commit, []
        if verb == "COMMIT":
            for hook in hooks:
                hook()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Do something, see what it would come to, and take it back: nothing of the block is kept."""
        self.flush()
        self.db.execute("SAVEPOINT trial")
        try:
            yield
        finally:
            self.db.execute("ROLLBACK TO trial")
            self.db.execute("RELEASE trial")
            self._loaded.clear()

    # Objects -------------------------------------------------------------------------------------------

    def add(self, obj: Obj) -> Obj:
        """Keep a new object; its `object` and `id` say where. Later changes to it are written by themselves."""
        kind = KINDS[obj["object"]]
        text = dumps(obj)
        self.db.execute(
            f"INSERT INTO {kind.table} (id, created, body) VALUES (?, ?, ?)",  # noqa: S608 - the names in it are our own
            (obj["id"], obj.get("created", 0), text),
        )
        self._loaded[obj["id"]] = (kind, obj, text)
        return obj

    def insert_text(self, kind: Kind, object_id: str, created: int, text: str) -> None:
        """Keep a new object that is written already and will not change in this transaction."""
        self.db.execute(
            f"INSERT INTO {kind.table} (id, created, body) VALUES (?, ?, ?)",  # noqa: S608 - the names in it are our own
            (object_id, created, text),
        )

    def get(self, object_id: str | None) -> Obj | None:
        """The object of that id, the same dict all through a transaction; None where there is none."""
        if not object_id:
            return None
        if object_id in self._loaded:
            return self._loaded[object_id][1]
        kind = kind_of_id(object_id)
        if kind is None:
            return None
        row = self.db.execute(f"SELECT body FROM {kind.table} WHERE id = ?", (object_id,)).fetchone()  # noqa: S608 - the names in it are our own
        return None if row is None else self._remember(kind, row[0])

    def _remember(self, kind: Kind, text: str) -> Obj:
        obj: Obj = json.loads(text)
        known = self._loaded.get(obj["id"])
        if known is not None:
            return known[1]
        self._loaded[obj["id"]] = (kind, obj, text)
        return obj

    def remove(self, obj: Obj) -> None:
        """Forget an object and its timers."""
        kind = KINDS[obj["object"]]
        self._loaded.pop(obj["id"], None)
        self.db.execute(f"DELETE FROM {kind.table} WHERE id = ?", (obj["id"],))  # noqa: S608 - the names in it are our own
        self.db.execute("DELETE FROM timer WHERE object = ?", (obj["id"],))

    def flush(self) -> None:
        """Write what changed since it was loaded, so that queries see it."""
        for object_id, (kind, obj, text) in self._loaded.items():
            now = dumps(obj)
            if now != text:
                self.db.execute(f"UPDATE {kind.table} SET body = ? WHERE id = ?", (now, object_id))  # noqa: S608 - the names in it are our own
                self._loaded[object_id] = (kind, obj, now)

    def find(
        self,
        kind: Kind,
        where: Mapping[str, Any],
        *,
        limit: int = -1,
        oldest_first: bool = False,
        conditions: Sequence[tuple[str, Any]] = (),
    ) -> list[Obj]:
        """Objects whose filters have the values of `where` (a list means any of them), newest first.

        `conditions` are further SQL conditions on seq and created, each with its value. What is found is part
        of the transaction: changes to it are written.
        """
        self.flush()
        return [self._remember(kind, text) for text in self.texts(kind, where, limit, oldest_first, conditions)]

    def texts(
        self,
        kind: Kind,
        where: Mapping[str, Any],
        limit: int = -1,
        oldest_first: bool = False,  # noqa: FBT001, FBT002 - a private helper of `find` and of pages
        conditions: Sequence[tuple[str, Any]] = (),
    ) -> list[str]:
        """As `find`, but the JSON of the objects, for reading only."""
        parts, values = [], []
        for name, value in where.items():
            expression = f"json_extract(body, '{kind.filters[name]}')"
            if isinstance(value, list):
                parts.append(f"{expression} IN ({','.join('?' * len(value))})")
                values += value
            elif value is None:
                parts.append(f"{expression} IS NULL")
            else:
                parts.append(f"{expression} = ?")
                values.append(value)
        for sql, value in conditions:
            parts.append(sql)
            values.append(value)
        sql = f"SELECT body FROM {kind.table}"  # noqa: S608 - the names in it are our own
        if parts:
            sql += " WHERE " + " AND ".join(parts)
        sql += f" ORDER BY seq {'ASC' if oldest_first else 'DESC'} LIMIT {limit:d}"
        return [row[0] for row in self.db.execute(sql, values)]

    def seq(self, kind: Kind, object_id: str) -> int | None:
        """The place of an object in the order of creation; None where there is no such object."""
        row = self.db.execute(f"SELECT seq FROM {kind.table} WHERE id = ?", (object_id,)).fetchone()  # noqa: S608 - the names in it are our own
        return None if row is None else int(row[0])

    # Timers --------------------------------------------------------------------------------------------

    def set_timer(self, object_id: str, name: str, at: int | None, clock: str) -> None:
        """Have the task `name` run for an object at that second of its clock ("" is the global one); None never."""
        if at is None:
            self.db.execute("DELETE FROM timer WHERE object = ? AND name = ?", (object_id, name))
            return
        row = self.db.execute("SELECT max(seq) FROM timer WHERE clock = ? AND at = ?", (clock, at)).fetchone()
        self.db.execute(
            "INSERT OR REPLACE INTO timer (object, name, at, clock, seq) VALUES (?, ?, ?, ?, ?)",
            (object_id, name, at, clock, (row[0] or 0) + 1),
        )

    def next_timer(self, clock: str, until: int) -> tuple[str, str, int] | None:
        """The task of that clock that is due first, not after `until`: object id, name, second."""
        row = self.db.execute(
            "SELECT object, name, at FROM timer WHERE clock = ? AND at <= ? ORDER BY at, seq LIMIT 1",
            (clock, until),
        ).fetchone()
        return None if row is None else (row[0], row[1], row[2])

    # Settings ------------------------------------------------------------------------------------------

    def setting(self, name: str, default: Any) -> Any:
        """A value kept by name."""
        row = self.db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a value by name; it must be JSON."""
        self.db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, dumps(value)))

    def wipe(self) -> None:
        """Forget everything."""
        self._loaded.clear()
        tables = [kind.table for kind in KINDS.values()] + ["timer", "setting", "answer", "delivery"]
        for table in tables:
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names in it are our own
