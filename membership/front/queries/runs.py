"""Reads of what is done for many people at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from membership.accounts.models import Person
from membership.db import db
from membership.front.models import Run, RunItem, Tag
from membership.front.rules.runs import LeftOut, What
from membership.kernel.errors import NotFound

NAMES_SHOWN = 50
RUNS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as staff see it. `n_meant` is for whom it is done or to be done, `n_done` for whom it was by now (while it
    is taken back: for whom it was taken back). `left_out` counts the others by reason. `people` are the first of those
    who are meant, with whatever is to be known of them; `n_more` how many follow.
    """

    run: Run
    tag: str | None
    n_meant: int
    n_done: int
    left_out: dict[LeftOut, int]
    people: Sequence[Person]

    @property
    def what(self) -> What:
        """The kind of it."""
        return What(self.run.kind)

    @property
    def n_more(self) -> int:
        """How many of those who are meant are not named."""
        return max(0, self.n_meant - len(self.people))

    @property
    def is_going_on(self) -> bool:
        """Whether the worker is at it."""
        return self.run.state in {"running", "undoing"}


def get_run(public_id: str) -> RunView:
    """The run with its numbers and the first of its people; NotFound `no_run`."""
    run = db.session.scalar(select(Run).where(Run.public_id == public_id))
    if run is None:
        raise NotFound("no_run", "There is no such run.")
    counted = select(RunItem.state, RunItem.why, func.count()).where(RunItem.run_id == run.id)
    numbers = {(state, why): n for state, why, n in db.session.execute(counted.group_by(RunItem.state, RunItem.why))}
    n = {state: numbers.get((state, None), 0) for state in ("todo", "done", "undone")}
    left_out = {LeftOut(why): each for (_, why), each in numbers.items() if why}
    return RunView(
        run=run,
        tag=db.session.get_one(Tag, run.tag_id).name if run.tag_id else None,
        n_meant=sum(n.values()),
        n_done=n["undone"] if run.undo_asked_at else n["done"],
        left_out={why: left_out[why] for why in LeftOut if why in left_out},
        people=_first_people(run.id),
    )


def _first_people(run_id: int) -> Sequence[Person]:
    query = select(Person).join(RunItem, RunItem.person_id == Person.id)
    meant = (RunItem.run_id == run_id, RunItem.state != "left_out")
    return db.session.scalars(query.where(*meant).order_by(RunItem.id).limit(NAMES_SHOWN)).all()


def list_runs() -> list[tuple[Run, str | None]]:
    """The newest runs that were started, with the name of their tag; drafts are nobody's business but their maker's."""
    query = select(Run, Tag.name).outerjoin(Tag, Tag.id == Run.tag_id).where(Run.state != "draft")
    rows = db.session.execute(query.order_by(Run.id.desc()).limit(RUNS_SHOWN))
    return [(run, tag) for run, tag in rows]


def list_going_on() -> list[int]:
    """Ids of the runs that the worker has to go on with, oldest first."""
    query = select(Run.id).where(Run.state.in_(("running", "undoing"))).order_by(Run.id)
    return list(db.session.scalars(query))
