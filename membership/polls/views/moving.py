"""One move of a ranking that was sent by a button, for browsers without JavaScript."""

from membership.polls.forms import BallotForm, arrange
from membership.polls.views.page import Attempt


def moved(form: BallotForm, n_options: int, max_ranks: int) -> Attempt:
    """The ranking in `form` after its move; the card that was moved keeps the focus.

    Raises InvalidInput for options that are not on the ballot.
    """
    move = form.move.data or ""
    order = arrange(form.kept("ranking"), move, n_options, max_ranks)
    verb, _, position = move.partition("-")
    if int(position) not in order:
        return Attempt(order, focus=f"add-{position}")
    place = order.index(int(position))
    can = {"up": place > 0, "down": place < len(order) - 1, "remove": True}
    focus = next(kind for kind in (verb, "up", "down", "remove") if can.get(kind))
    return Attempt(order, focus=f"{focus}-{position}")
