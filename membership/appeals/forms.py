"""The shapes of an appeal as staff type it. What it may say is decided by the rules.

The words of variants are fields of one form, so that everything is saved at once and nothing that was typed is lost:
`a_weight`, `a_en_title`, `b_uk_body`, and so on.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateTimeLocalField, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from membership.appeals import rules
from membership.appeals.rules import Plan, Variant
from membership.topics.forms import MOST_TYPED, TypedForm
from membership.web.forms import Form

# What a browser shows of such a field, and what it sends.
MINUTES = "%Y-%m-%dT%H:%M"
YEARS = range(2000, 2101)
LISTS = ("sections", "tags", "not_tags")
NUMBERS: Mapping[str, range] = {
    "priority": rules.PRIORITIES,
    "cap_views": rules.VIEWS,
    "cap_days": rules.DAYS,
    "days_between": rules.DAYS_BETWEEN,
    "holdout_percent": rules.HOLDOUT,
}
DATES = ("starts_at", "ends_at")


def _number(label: Any) -> IntegerField:
    return IntegerField(label, validators=[InputRequired(_l("Please type a number."))])


def _list(label: Any) -> StringField:
    return StringField(label, validators=[Length(max=MOST_TYPED)])


class VersionForm(Form):
    """A press of a button about the appeal as it was looked at."""

    version = HiddenField()

    @property
    def number(self) -> int:
        """The version that was looked at; 0, which is none, where that cannot be read."""
        return version_in(self.version.data)


class _Moment(DateTimeLocalField):
    """A moment of this century: at the ends of the calendar some zones have none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None and self.data.year not in YEARS:
            self.data = None
            raise ValueError(_("Please choose a day of this century."))


class EndForm(TypedForm):
    """When a running appeal ends, sooner than planned."""

    ends_at = _Moment(_l("Ends sooner, at"), format=MINUTES, validators=[Optional()])


class AppealForm(TypedForm):
    """The rules of an appeal; `form_for` adds the words of its variants. Times are typed in the newsroom's zone."""

    keys: Sequence[str] = ()
    languages: Sequence[str] = ()
    zone: ZoneInfo

    name = StringField(_l("Name, for you alone"), validators=[Length(max=MOST_TYPED)])
    starts_at = _Moment(_l("Begins"), format=MINUTES, validators=[Optional()])
    ends_at = _Moment(_l("Ends"), format=MINUTES, validators=[Optional()])
    priority = _number(_l("Priority"))
    holdout_percent = _number(_l("Readers who see nothing, of a hundred"))
    sections = _list(_l("Only in these sections"))
    tags = _list(_l("Only on these tags"))
    not_tags = _list(_l("Never on these tags"))
    countries = _list(_l("Only in these countries"))
    on_sensitive = BooleanField(_l("Also on articles that are marked as sensitive"))
    cap_views = _number(_l("At most so many times"))
    cap_days = _number(_l("within so many days"))
    days_between = _number(_l("Days between two times, at least"))
    version = HiddenField()
    do = HiddenField()

    def checks(self) -> dict[str, Callable[[Any], Any]]:
        """Field -> rule."""
        found: dict[str, Callable[[Any], Any]] = {"name": lambda text: rules.clean_name(text or "")}
        for name, allowed in NUMBERS.items():
            found[name] = _bound(rules.check_number, allowed, name)
        for name in LISTS:
            found[name] = _bound(rules.clean_words, name)
        found["countries"] = lambda text: rules.clean_countries(text or "")
        found["ends_at"] = lambda at: rules.check_dates(self._moment(self.starts_at.data), self._moment(at))
        for key in self.keys:
            found[f"{key}_weight"] = _bound(rules.check_number, rules.WEIGHTS, f"{key}_weight")
            for language in self.languages:
                for part in rules.PARTS:
                    found[f"{key}_{language}_{part}"] = _part_rule(part, f"{key}_{language}_{part}")
        return found

    def plan(self) -> Plan:
        """The rules that were typed, once the form is in order."""
        return Plan(
            name=rules.clean_name(self.name.data or ""),
            starts_at=self._moment(self.starts_at.data),
            ends_at=self._moment(self.ends_at.data),
            sections=rules.clean_words(self.sections.data or "", "sections"),
            tags=rules.clean_words(self.tags.data or "", "tags"),
            not_tags=rules.clean_words(self.not_tags.data or "", "not_tags"),
            countries=rules.clean_countries(self.countries.data or ""),
            on_sensitive=bool(self.on_sensitive.data),
            **{name: int(self._fields[name].data) for name in NUMBERS},
        )

    def variants(self, known: Sequence[Variant] = ()) -> list[Variant]:
        """The variants that were typed. What is `known` of them in languages that are no longer offered stays."""
        before = {variant.key: dict(variant.texts) for variant in known}
        return [
            Variant(key, int(self._fields[f"{key}_weight"].data), before.get(key, {}) | self._texts(key))
            for key in self.keys
        ]

    @property
    def removed(self) -> list[str]:
        """Keys of the variants that are to go."""
        return [key for key in self.keys if self._fields[f"{key}_remove"].data]

    @property
    def number(self) -> int:
        """The version that was looked at; 0, which is none, where that cannot be read."""
        return version_in(self.version.data)

    def _texts(self, key: str) -> dict[str, dict[str, str]]:
        return {
            language: {part: self._fields[f"{key}_{language}_{part}"].data or "" for part in rules.PARTS}
            for language in self.languages
        }

    def _moment(self, typed: datetime | None) -> datetime | None:
        return moment_in(typed, self.zone)


def form_for(keys: Sequence[str], languages: Sequence[str], zone: ZoneInfo) -> type[AppealForm]:
    """The form of an appeal with these variants, whose words are typed in these languages."""
    fields: dict[str, Any] = {"keys": tuple(keys), "languages": tuple(languages), "zone": zone}
    for key in keys:
        fields[f"{key}_weight"] = _number(_l("Share among the variants"))
        for language in languages:
            # The words are in this language, whatever the page around them is in: for spelling and for the ear.
            spoken: dict[str, Any] = {"validators": [Length(max=MOST_TYPED)], "render_kw": {"lang": language}}
            fields[f"{key}_{language}_title"] = StringField(_l("Heading"), **spoken)
            fields[f"{key}_{language}_body"] = TextAreaField(_l("Text"), **spoken)
            fields[f"{key}_{language}_button"] = StringField(_l("Button"), **spoken)
        fields[f"{key}_remove"] = BooleanField(_l("Remove this variant"))
    return cast("type[AppealForm]", type("VariantsForm", (AppealForm,), fields))


def values_of(plan: Plan, variants: Sequence[Variant], version: int, zone: ZoneInfo) -> dict[str, Any]:
    """What the fields of the form say of an appeal as it stands."""
    values: dict[str, Any] = {name: getattr(plan, name) for name in ("name", "on_sensitive", *NUMBERS)}
    values |= {name: ", ".join(getattr(plan, name)) for name in (*LISTS, "countries")}
    for name in DATES:
        at = getattr(plan, name)
        values[name] = at.astimezone(zone) if at is not None else None
    for variant in variants:
        values[f"{variant.key}_weight"] = variant.weight
        for language, words in variant.texts.items():
            values |= {f"{variant.key}_{language}_{part}": text for part, text in words.items()}
    return values | {"version": str(version)}


def moment_in(typed: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The moment at which clocks in `zone` show what was typed; None for nothing."""
    return None if typed is None else typed.replace(tzinfo=zone).astimezone(UTC)


def version_in(text: str | None) -> int:
    """A number in a hidden field; 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 9 else 0  # noqa: PLR2004 - as an INTEGER holds


def _bound(rule: Callable[..., Any], *arguments: Any) -> Callable[[Any], Any]:
    return lambda typed: rule(typed if typed is not None else "", *arguments)


def _part_rule(part: str, field: str) -> Callable[[Any], Any]:
    return lambda text: rules.clean_part(part, text or "", field)
