"""The shape of a ballot and of a receipt as browsers send them, and how a ranking is put in order tap by tap."""

import re
from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from membership.kernel.errors import InvalidInput
from membership.web.forms import Form

POSITION = re.compile(r"[0-9]{1,3}")
MOVE = re.compile(r"(add|up|down|remove)-([0-9]{1,3})")
LONGEST_ORDER = 400
YES = "yes"


class BallotForm(Form):
    """A ballot. Ticks and radio buttons come as `choice`, a ranking as `order` ("3,0,7", best first); an empty
    ballot is meant only where `blank` is "yes".
    """

    # Labels stand in the template; without one here, WTForms would make and translate one for every ballot.
    choice = SelectMultipleField("", validate_choice=False)
    order = HiddenField("")
    move = HiddenField("")
    blank = HiddenField("")

    def positions(self, kind: str) -> list[int]:
        """The chosen positions, in the order that was sent; empty only for a ballot that is blank on purpose.

        Raises InvalidInput `choice_empty` where nothing was chosen, `choice_unknown_option` for what is no
        number. Whether the numbers are options of the poll is for the rules to say.
        """
        if self.blank.data == YES:
            return []
        chosen = read_order(self.order.data or "") if kind == "ranking" else _numbers(self.choice.data or [])
        if not chosen:
            raise InvalidInput("choice_empty", "Nothing was chosen, and the ballot is not blank on purpose.")
        return chosen

    def kept(self, kind: str) -> list[int]:
        """What was chosen as far as it can be read, so that an error page shows it again."""
        try:
            return self.positions(kind)
        except InvalidInput:
            return []


class ReceiptForm(Form):
    """A receipt, typed or pasted by its voter."""

    receipt = StringField(
        _l("Your receipt"),
        validators=[
            InputRequired(_l("Please paste the receipt that you were given.")),
            Length(max=200, message=_l("This is longer than any receipt.")),
        ],
    )


def read_order(text: str) -> list[int]:
    """The positions in "3,0,7", best first; empty for "". InvalidInput `choice_unknown_option` for anything else."""
    if len(text) > LONGEST_ORDER:
        raise InvalidInput("choice_unknown_option", "This ranking is longer than any ballot.")
    return _numbers(text.split(",")) if text else []


def _numbers(texts: Sequence[str]) -> list[int]:
    if not all(POSITION.fullmatch(text) for text in texts):
        raise InvalidInput("choice_unknown_option", "A choice names its options by numbers.")
    return [int(text) for text in texts]


def arrange(order: Sequence[int], move: str, n_options: int, max_ranks: int) -> list[int]:
    """The ranking `order` (positions, best first, each once) after one `move`, such as "add-3" or "up-0".

    A move that cannot be done (up from the top, a place too many, adding what is there) changes nothing.
    Raises InvalidInput `choice_unknown_option` for an option that the ballot does not have or an unknown move.
    """
    asked = MOVE.fullmatch(move)
    if asked is None or int(asked[2]) >= n_options or any(position >= n_options for position in order):
        raise InvalidInput("choice_unknown_option", "There is no such option on this ballot.")
    verb, position = asked[1], int(asked[2])
    new = list(dict.fromkeys(order))
    if position not in new:
        return [*new, position] if verb == "add" and len(new) < max_ranks else new
    at = new.index(position)
    if verb == "remove":
        new.remove(position)
    elif verb == "up" and at > 0:
        new[at - 1], new[at] = new[at], new[at - 1]
    elif verb == "down" and at < len(new) - 1:
        new[at], new[at + 1] = new[at + 1], new[at]
    return new


def words_of(error_code: str) -> str:
    """What a voter reads where a ballot could not be taken; always what became of it and what to do."""
    words = {
        "choice_empty": _(
            "You have not chosen anything yet. Choose, or say below that you want to give a blank ballot."
        ),
        "choice_too_many": _("This ballot names more topics than it may. Take some out and save again."),
        "choice_twice": _("One topic stands on this ballot twice. Look over your choice and save again."),
        "choice_one_only": _("Only one topic can be chosen here. Look over your choice and save again."),
        "too_many_saves": _("You have changed this ballot so often that it stays as you saved it last. It counts."),
    }
    unknown = _("This ballot names something that is not in the poll. Choose again, please.")
    return str(words.get(error_code) or unknown)
