"""The shapes of what readers report and of what staff answer. What it may say is decided by the rules."""

from collections.abc import Callable, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import DataRequired, Length

from membership.accounts.rules import canonical_email
from membership.corrections import rules
from membership.corrections.rules import Article, Report
from membership.topics.forms import MOST_TYPED, TypedForm
from membership.web.forms import Form

NOBODY = 0


class ReportForm(TypedForm):
    """What a reader reports on our own page. `known` are the origins on which articles are."""

    article = StringField(
        _l("Address of the article"),
        validators=[DataRequired(_l("Please copy the address of the article.")), Length(max=MOST_TYPED)],
    )
    quote = TextAreaField(_l("The words with the mistake"), validators=[Length(max=MOST_TYPED)])
    context = TextAreaField(_l("The whole sentence, if it is longer"), validators=[Length(max=MOST_TYPED)])
    note = TextAreaField(_l("What is wrong?"), validators=[Length(max=MOST_TYPED)])
    email = StringField(_l("E-mail, if we may answer"), validators=[Length(max=MOST_TYPED)])
    known: frozenset[str] = frozenset()

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {
            "article": lambda text: rules.clean_article(text or "", self.known),
            "note": lambda text: rules.clean_note(text or ""),
            "quote": lambda text: rules.clean_report(text or "", "", "", self.note.data or ""),
            "email": lambda text: canonical_email(text) if text else None,
        }

    def read(self) -> tuple[Article, Report]:
        """What was typed, cleaned, once it is in order."""
        quote = self.quote.data or ""
        around = rules.split_context(quote.strip(), self.context.data or "")
        return rules.clean_article(self.article.data or "", self.known), rules.clean_report(
            quote, *around, self.note.data or ""
        )


class FixForm(TypedForm):
    """A correction, as everybody will read it, and a word to those who reported it."""

    before = TextAreaField(_l("As it was"), validators=[Length(max=MOST_TYPED)])
    after = TextAreaField(_l("As it is now"), validators=[Length(max=MOST_TYPED)])
    headline = StringField(_l("Headline of the article"), validators=[Length(max=MOST_TYPED)])
    reply = TextAreaField(_l("A word to the reader"), validators=[Length(max=MOST_TYPED)])

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """All of it is one correction: the rule names the field that it does not accept."""
        return {
            "before": lambda text: rules.clean_fix(
                text or "", self.after.data or "", self.headline.data or "", self.reply.data or ""
            )
        }


class DeclineForm(TypedForm):
    """Why the article stays as it is."""

    reply = TextAreaField(_l("Your answer to the reader"), validators=[Length(max=MOST_TYPED)])

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        return {"reply": lambda text: rules.clean_reply(text or "")}


class DuplicateForm(TypedForm):
    """Which other passage it is the same as: its public id."""

    into = StringField(_l("The other report"), validators=[DataRequired(_l("Please choose one.")), Length(max=40)])


class AssignForm(Form):
    """Who looks after it."""

    owner = SelectField(_l("Who looks after it"), coerce=int)

    def offer(self, staff: Sequence[tuple[int, str]], nobody: str) -> "AssignForm":
        """Let these people (id, name) be chosen, or nobody; the form itself."""
        self.owner.choices = [SelectChoice(person_id, name) for person_id, name in ((NOBODY, nobody), *staff)]
        return self
