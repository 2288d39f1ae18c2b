"""A poll as staff type it, with days and hours in the newsroom's zone; and the public reason of what they do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    DateTimeLocalField,
    Field,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length, Optional

from membership.kernel.errors import InvalidInput
from membership.polls.counting import RULES
from membership.polls.models import Poll
from membership.polls.rules.drafts import LONGEST_INTRO, LONGEST_TITLE, PollFields
from membership.topics.models import Topic
from membership.web.forms import Form
from membership.web.i18n import LANGUAGES

PUBLISH_FROM = 500
LONGEST_REASON = 500
NEVER, FROM = "never", "from"
# What a browser shows of such a field, and what it sends.
MINUTES = "%Y-%m-%dT%H:%M"


class ReasonForm(Form):
    """Why staff cancel a poll or skip a winner. Readers see it."""

    reason = TextAreaField(
        _l("The reason, which readers will see"),
        validators=[
            InputRequired(_l("Please say why: readers will see this.")),
            Length(max=LONGEST_REASON, message=_l("Please use at most 500 characters.")),
        ],
    )


class PollForm(Form):
    """A poll that is not open yet. Times are typed in the newsroom's zone; `fields` makes moments of them."""

    title = StringField(
        _l("The question"),
        validators=[
            InputRequired(_l("Please type the question that the poll asks.")),
            Length(max=LONGEST_TITLE, message=_l("Please use at most 120 characters.")),
        ],
    )
    intro = TextAreaField(
        _l("A few words about it"),
        validators=[Length(max=LONGEST_INTRO, message=_l("Please use at most 1,500 characters."))],
    )
    locale = RadioField(
        _l("Written in"), choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()], default="en"
    )
    topic_ids = SelectMultipleField(_l("Topics"), coerce=int)
    rule = RadioField(_l("How it is counted"), choices=[SelectChoice(rule) for rule in RULES], default="spav")
    n_seats = IntegerField(
        _l("How many topics are chosen"),
        default=2,
        validators=[InputRequired(_l("Please type how many topics are chosen."))],
    )
    max_ranks = IntegerField(_l("Places on a ballot"), default=5, validators=[Optional()])
    budget_hours = IntegerField(_l("Hours to share out"), validators=[Optional()])
    opens_at = DateTimeLocalField(
        _l("Opens"), format=MINUTES, validators=[InputRequired(_l("Please say when it opens."))]
    )
    closes_at = DateTimeLocalField(
        _l("Closes"), format=MINUTES, validators=[InputRequired(_l("Please say when it closes."))]
    )
    eligibility = RadioField(
        _l("Who may vote"),
        choices=[
            SelectChoice("paid", _l("Patrons whose membership was paid for")),
            SelectChoice("covered", _l("All patrons, also those invited by the newsroom")),
        ],
        default="paid",
    )
    joined_before = DateTimeLocalField(_l("Patrons since before"), format=MINUTES, validators=[Optional()])
    publish = RadioField(
        _l("Ballots after the close"),
        choices=[
            SelectChoice(NEVER, _l("Never publish single ballots")),
            SelectChoice(FROM, _l("Publish them, shuffled and without names, from this many voters on")),
        ],
        default=FROM,
    )
    publish_from = IntegerField(_l("Voters"), default=PUBLISH_FROM, validators=[Optional()])

    def offer(self, topics: Sequence[Topic]) -> None:
        """Let the form choose from these topics."""
        self.topic_ids.choices = [SelectChoice(topic.id, topic.title) for topic in topics]

    def fill(self, poll: Poll, topic_ids: Sequence[int], zone: ZoneInfo) -> None:
        """Show a poll as it stands."""
        for name in ("title", "intro", "locale", "rule", "n_seats", "max_ranks", "budget_hours", "eligibility"):
            self._fields[name].data = getattr(poll, name)
        self.topic_ids.data = list(topic_ids)
        for name in ("opens_at", "closes_at", "joined_before"):
            self._fields[name].data = getattr(poll, name).astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
        if poll.joined_before == poll.opens_at:
            self.joined_before.data = None
        self.publish.data = NEVER if poll.publish_from is None else FROM
        self.publish_from.data = poll.publish_from or PUBLISH_FROM

    def fields(self, zone: ZoneInfo) -> PollFields:
        """What this (valid) form says. InvalidInput naming the field for a time that does not exist."""
        joined_before = self.joined_before.data
        return PollFields(
            title=self.title.data or "",
            intro=self.intro.data or "",
            locale=self.locale.data,
            rule=self.rule.data,
            n_seats=int(self.n_seats.data or 0),
            opens_at=moment_in(zone, self.opens_at.data, "opens_at"),
            closes_at=moment_in(zone, self.closes_at.data, "closes_at", is_later=True),
            topic_ids=tuple(self.topic_ids.data or ()),
            max_ranks=int(self.max_ranks.data or 5),
            budget_hours=self.budget_hours.data if self.rule.data == "equal-shares" else None,
            eligibility=self.eligibility.data,
            joined_before=moment_in(zone, joined_before, "joined_before") if joined_before else None,
            publish_from=int(self.publish_from.data or PUBLISH_FROM) if self.publish.data == FROM else None,
        )

    def explain(self, error: InvalidInput) -> None:
        """Put what the rules refused beside its field."""
        field: Field = self._fields.get(error.field or "", self.title)
        field.errors = [*field.errors, _in_words(error)]


def moment_in(zone: ZoneInfo, typed: datetime | None, field: str, *, is_later: bool = False) -> datetime:
    """The moment, in UTC, that a clock of the newsroom shows as `typed` (naive).

    In the hour that the autumn's change of clocks shows twice it is the first time, or the second one with
    `is_later`: a poll is open at least as long as either reading says. A time that the spring's change skips
    raises InvalidInput `no_such_time` naming `field`.
    """
    if typed is None:
        raise InvalidInput("no_such_time", "No time was typed.", field=field)
    try:
        moment = typed.replace(tzinfo=zone, fold=1 if is_later else 0).astimezone(UTC)
    except OverflowError as error:  # the first and the last day that a calendar of ours knows
        raise InvalidInput("no_such_time", "There is no such moment.", field=field) from error
    if moment.astimezone(zone).replace(tzinfo=None) != typed:
        raise InvalidInput("no_such_time", "The clocks skip this hour.", field=field)
    return moment


def _in_words(error: InvalidInput) -> str:
    words = {
        "no_such_time": _("This time does not exist: the clocks skip that hour. Choose an hour earlier or later."),
        "poll_title": _("Please type a question of 3 to 120 characters."),
        "poll_intro": _("Please use at most 1,500 characters."),
        "poll_dates": _("The end must be after the opening, and still to come."),
        "poll_options": _("Please choose from 2 to 30 topics."),
        "poll_seats": _("At least one topic is chosen, and not more than stand on the ballot."),
        "poll_ranks": _("A ballot can have from 3 to 10 places."),
        "poll_budget": _("Please type how many hours there are to share out."),
        "poll_hours": _("To share out hours, every topic needs a number of hours. Type it on the page of the topic."),
        "poll_publish_from": _("Please type a number from 5 on."),
    }
    return str(words.get(error.code) or _("This cannot be accepted as it is."))
