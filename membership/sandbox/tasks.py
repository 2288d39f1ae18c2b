"""What happens when a moment comes: renewals, retries, expiries. Each resource registers its own with `@task`."""

from collections.abc import Callable

from membership.sandbox.kinds import Obj
from membership.sandbox.world import World

Task = Callable[[World, Obj], None]
_TASKS: dict[str, Task] = {}


def task(name: str) -> Callable[[Task], Task]:
    """Register what `World.schedule(obj, name, …)` sets off; it is given the object as it then is."""

    def register(run: Task) -> Task:
        _TASKS[name] = run
        return run

    return register


def run_next(world: World, clock: str, until: int) -> bool:
    """Run the task of that clock that is due first, at its own time; False where none is due by `until`."""
    due = world.store.next_timer(clock, until)
    if due is None:
        return False
    object_id, name, at = due
    world.clock, world.now = clock, at
    world.store.set_timer(object_id, name, None, clock)
    obj = world.store.get(object_id)
    if obj is not None:
        _TASKS[name](world, obj)
    return True
