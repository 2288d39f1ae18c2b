"""The shapes of what members and staff type about topics. What it may say is decided by the rules."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from membership.kernel.errors import InvalidInput
from membership.topics import rules
from membership.web.forms import Form
from membership.web.i18n import LANGUAGES

# Longer than what is accepted, so that the rules can say how long it may be, and short enough to be read.
MOST_TYPED = 20_000


class TypedForm(Form):
    """A form whose fields are checked by the rules: what they refuse stands beside the field that it is about."""

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> the rule that cleans what was typed there."""
        return {}

    def is_in_order(self) -> bool:
        """Whether the form was sent and every rule accepts it; if not, every mistake stands beside its field."""
        is_valid = bool(self.validate_on_submit())
        for name, check in self.checks().items():
            if self._fields[name].errors:
                continue
            try:
                check(self._fields[name].data)
            except InvalidInput as error:
                is_valid = False
                self.explain(error)
        return is_valid

    def explain(self, error: InvalidInput) -> None:
        """Put an error of rules or services beside the field that it is about."""
        field = self._fields.get(error.field or "") or next(iter(self))
        field.errors = [*field.errors, _(error.message)]


class ProposalForm(TypedForm):
    """What a member proposes. `step` is "send" where near-duplicates were shown and it is to be sent all the same;
    `is_to_change` where its words are to be changed first.
    """

    title = StringField(
        _l("What should we look into?"),
        validators=[InputRequired(_l("Please type a title.")), Length(max=MOST_TYPED)],
    )
    why = TextAreaField(
        _l("Why does it matter?"),
        validators=[InputRequired(_l("Please say why it matters.")), Length(max=MOST_TYPED)],
    )
    links = TextAreaField(_l("Links"), validators=[Length(max=MOST_TYPED)])
    locale = SelectField(
        _l("Language of what you wrote"), choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()]
    )
    step = HiddenField()
    is_to_change = BooleanField()

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {
            "title": lambda text: rules.clean_title(text or ""),
            "why": lambda text: rules.clean_why(text or ""),
            "links": lambda text: rules.clean_links(text or ""),
        }

    @property
    def is_sure(self) -> bool:
        """Whether the near-duplicates were seen already."""
        return self.step.data == "send"


class WordsForm(TypedForm):
    """The words of a topic, as staff mend them, and their guess of its hours."""

    title = StringField(_l("Title"), validators=[InputRequired(_l("Please type a title.")), Length(max=MOST_TYPED)])
    why = TextAreaField(_l("Why it matters"), validators=[InputRequired(_l("Please say why it matters."))])
    hours = IntegerField(_l("Hours of reporting, as you guess them"), validators=[Optional()])

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {
            "title": lambda text: rules.clean_title(text or ""),
            "why": lambda text: rules.clean_why(text or ""),
            "hours": rules.clean_hours,
        }


class ReasonForm(TypedForm):
    """A reason that readers will see."""

    reason = TextAreaField(_l("Reason, for everybody to read"), validators=[Length(max=MOST_TYPED)])

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {"reason": lambda text: rules.clean_words(text or "", "reason")}


class DeclineForm(ReasonForm):
    """Why not; and whether its words are to be hidden."""

    is_hidden = BooleanField(_l("Hide its title and text: they are abusive or harm somebody"))


class MergeForm(Form):
    """Which topic it becomes part of: its public id, or its address as copied from the browser."""

    into = StringField(_l("The other topic"), validators=[DataRequired(_l("Please choose a topic.")), Length(max=300)])

    @property
    def public_id(self) -> str:
        """The public id in what was typed or chosen."""
        return str(self.into.data or "").strip().partition("?")[0].rstrip("/").rpartition("/")[2]


class AssignForm(TypedForm):
    """Who reports it, and until when."""

    _check_day: Callable[[Any], Any] = staticmethod(lambda day: day)
    owner = SelectField(_l("Who reports it"), coerce=int)
    due_on = DateField(_l("Story due on"), validators=[InputRequired(_l("Please choose a day, such as 2027-03-31."))])

    def offer(self, staff: Sequence[tuple[int, str]]) -> "AssignForm":
        """Let these people (id, name) be chosen; the form itself."""
        self.owner.choices = [SelectChoice(person_id, name) for person_id, name in staff]
        return self

    def not_before(self, today: date, known: date | None) -> "AssignForm":
        """Take no day before `today` but the one that stands there already; the form itself."""
        self._check_day = lambda day: rules.check_due_day(day, today, known)
        return self

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {"due_on": self._check_day}


class UpdateForm(TypedForm):
    """A short word about how the work goes."""

    words = TextAreaField(_l("What is new"), validators=[Length(max=MOST_TYPED)])

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {"words": lambda text: rules.clean_words(text or "", "words")}


class StoryForm(TypedForm):
    """The story that a topic led to."""

    story_url = StringField(_l("Address of the story"), validators=[Length(max=MOST_TYPED)])
    story_title = StringField(_l("Headline"), validators=[Length(max=MOST_TYPED)])

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {
            "story_url": lambda text: rules.clean_address(text or "", "story_url"),
            "story_title": lambda text: rules.clean_story_title(text or ""),
        }
