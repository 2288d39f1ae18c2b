"""From its opening on the database itself refuses to change what a poll is: question, options, rule, dates, roll.

Stricter than "after the first ballot", and simpler: a poll that is no draft any more never becomes one again.
"""

from sqlalchemy import DDL, Table, event

from membership.polls.models.tables import Poll, PollOption

# What may change after the opening: what becomes of the poll. Everything else is what it is.
LIVING = frozenset({"state", "closed_at", "cancelled_at", "cancelled_by_id", "cancel_reason", "trouble", "wiped_at"})
FROZEN = tuple(column.name for column in Poll.__table__.columns if column.name not in LIVING)

_POLLS = "polls are frozen from their opening on"
_OPTIONS = "options of a poll are frozen from its opening on"
# A poll goes on and never back: an opened one is no draft, and what is closed or cancelled stays so.
_GOES_BACK = "(NEW.state = 'draft' OR (OLD.state IN ('closed', 'cancelled') AND NEW.state <> OLD.state))"


def guard_statements(dialect: str) -> dict[str, list[str]]:
    """The SQL that makes the triggers, by the table after which it is run; for the models and for migrations."""
    return _on_sqlite() if dialect == "sqlite" else _on_postgresql()


def _on_sqlite() -> dict[str, list[str]]:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in FROZEN)
    return {
        "polls": [
            _trigger(
                "polls_frozen", "UPDATE ON polls", f"OLD.state <> 'draft' AND ({_GOES_BACK} OR {changed})", _POLLS
            ),
            _trigger("polls_kept", "DELETE ON polls", "OLD.state <> 'draft'", _POLLS),
        ],
        "poll_options": [
            _trigger(f"poll_options_no_{verb.lower()}", f"{verb} ON poll_options", _opened(ids), _OPTIONS)
            for verb, ids in (
                ("INSERT", "NEW.poll_id"),
                ("UPDATE", "NEW.poll_id, OLD.poll_id"),
                ("DELETE", "OLD.poll_id"),
            )
        ],
    }


def _trigger(name: str, what: str, when: str, words: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {what} WHEN {when} BEGIN SELECT RAISE(ABORT, '{words}'); END"


def _opened(poll_ids: str) -> str:
    return f"EXISTS (SELECT 1 FROM polls WHERE id IN ({poll_ids}) AND state <> 'draft')"  # noqa: S608 - constants only


def _on_postgresql() -> dict[str, list[str]]:
    new, old = (", ".join(f"{row}.{column}" for column in FROZEN) for row in ("NEW", "OLD"))
    refuse = "THEN RAISE EXCEPTION '{}'; END IF; "
    poll_change = (
        "IF TG_OP = 'DELETE' AND OLD.state <> 'draft' "
        + refuse.format(_POLLS)
        + "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; "
        + f"IF OLD.state <> 'draft' AND ({_GOES_BACK} OR ROW({new}) IS DISTINCT FROM ROW({old})) "
        + refuse.format(_POLLS)
        + "RETURN NEW;"
    )
    option_change = (
        f"IF TG_OP <> 'INSERT' AND {_opened('OLD.poll_id')} "
        + refuse.format(_OPTIONS)
        + f"IF TG_OP <> 'DELETE' AND {_opened('NEW.poll_id')} "
        + refuse.format(_OPTIONS)
        + "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"
    )
    on_polls = "CREATE TRIGGER polls_frozen BEFORE UPDATE OR DELETE ON polls "
    on_options = "CREATE TRIGGER poll_options_frozen BEFORE INSERT OR UPDATE OR DELETE ON poll_options "
    return {
        "polls": [
            _function("refuse_poll_change", poll_change),
            on_polls + "FOR EACH ROW EXECUTE FUNCTION refuse_poll_change()",
        ],
        "poll_options": [
            _function("refuse_option_change", option_change),
            on_options + "FOR EACH ROW EXECUTE FUNCTION refuse_option_change()",
        ],
    }


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$ BEGIN {body} END $$ LANGUAGE plpgsql"


def _install() -> None:
    for model in (Poll, PollOption):
        table = model.__table__
        if not isinstance(table, Table):
            raise TypeError(f"{model.__name__} has no table of its own.")
        for dialect in ("sqlite", "postgresql"):
            for statement in guard_statements(dialect)[table.name]:
                ddl = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
                event.listen(table, "after_create", ddl)


_install()
