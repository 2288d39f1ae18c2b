"""The counters of the limits in the app's own database: a storage for the `limits` package.

Every hit is a short transaction of its own on a connection of its own, so that a refusal stays counted when
the caller's work is rolled back. Unix times, since that is what `limits` reckons in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from limits.storage import MovingWindowSupport, Storage
from sqlalchemy import ColumnElement, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from membership.kernel import clock
from membership.web.models import RateCounter

_shared: ContextVar[Connection | None] = ContextVar("counters_connection", default=None)


def _now() -> float:
    return clock.real_now().timestamp()


def _choose(condition: ColumnElement[bool], then: Any, otherwise: Any) -> Any:
    return case((condition, then), else_=otherwise)


class DatabaseStorage(Storage, MovingWindowSupport):
    """Counters in the table `rate_counters`, exact under any number of threads and processes."""

    STORAGE_SCHEME = None

    def __init__(self, engine: Engine) -> None:
        super().__init__(wrap_exceptions=True)
        self._engine = engine

    @property
    def base_exceptions(self) -> type[Exception]:
        """What `limits` wraps in its StorageError."""
        return SQLAlchemyError

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all hits inside share one transaction, and so one commit; refused ones are kept as well."""
        with self._transaction() as connection:
            token = _shared.set(connection)
            try:
                yield
            finally:
                _shared.reset(token)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        shared = _shared.get()
        if shared is not None:
            yield shared
            return
        with self._engine.connect().execution_options(immediate=True) as connection, connection.begin():
            yield connection

    def _upsert(self, values: dict[str, Any], changes: dict[str, Any]) -> Any:
        insert = insert_on_sqlite if self._engine.dialect.name == "sqlite" else insert_on_postgresql
        return insert(RateCounter).values(**values).on_conflict_do_update(index_elements=["key"], set_=changes)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` more in the window that began with the first hit; the count of that window."""
        at = _now()
        is_over = RateCounter.expires_at <= at
        fresh = {"key": key, "n_hits": amount, "hits": [], "expires_at": at + expiry}
        statement = self._upsert(
            fresh,
            {
                "n_hits": _choose(is_over, amount, RateCounter.n_hits + amount),
                "expires_at": _choose(is_over, at + expiry, RateCounter.expires_at),
            },
        ).returning(RateCounter.n_hits)
        with self._transaction() as connection:
            return int(connection.execute(statement).scalar_one())

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take `amount` places in the last `expiry` seconds, of which there are `limit`; False if too few are left."""
        at = _now()
        # The upsert locks the row, also where another process makes it in this moment.
        lock = self._upsert(
            {"key": key, "n_hits": 0, "hits": [], "expires_at": at + expiry}, {"key": RateCounter.key}
        ).returning(RateCounter.hits)
        with self._transaction() as connection:
            hits = [hit for hit in connection.execute(lock).scalar_one() if hit > at - expiry]
            if len(hits) + amount > limit:
                return False
            kept = update(RateCounter).where(RateCounter.key == key)
            connection.execute(kept.values(hits=[*hits, *[at] * amount], expires_at=at + expiry))
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The oldest hit that counts (now, if none) and how many count."""
        del limit
        at = _now()
        with self._transaction() as connection:
            row = connection.execute(select(RateCounter.hits).where(RateCounter.key == key)).scalar()
        hits = [hit for hit in row or [] if hit > at - expiry]
        return (hits[0], len(hits)) if hits else (at, 0)

    def get(self, key: str) -> int:
        """The count of the present window."""
        with self._transaction() as connection:
            fits = (RateCounter.key == key) & (RateCounter.expires_at > _now())
            return int(connection.execute(select(RateCounter.n_hits).where(fits)).scalar() or 0)

    def get_expiry(self, key: str) -> float:
        """When the present window ends; now, where there is none."""
        with self._transaction() as connection:
            return float(
                connection.execute(select(RateCounter.expires_at).where(RateCounter.key == key)).scalar() or _now()
            )

    def check(self) -> bool:
        """Whether the table can be read."""
        try:
            self.get("")
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int | None:
        """Forget all counters; how many."""
        with self._transaction() as connection:
            return connection.execute(delete(RateCounter)).rowcount

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._transaction() as connection:
            connection.execute(delete(RateCounter).where(RateCounter.key == key))

    def forget_old(self) -> int:
        """Delete the rows in which nothing counts any more; how many."""
        with self._transaction() as connection:
            return connection.execute(delete(RateCounter).where(RateCounter.expires_at <= _now())).rowcount
