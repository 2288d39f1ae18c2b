"""What counted before, and who changed it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from membership.db import db
from membership.newsroom.models import SettingsVersion
from membership.newsroom.queries.first_values import first_values
from membership.newsroom.queries.snapshot import current
from membership.newsroom.queries.tokens import tokens
from membership.newsroom.rules.colours import Colours, name_of
from membership.newsroom.rules.plain import Names
from membership.newsroom.rules.subjects import Subject, Values, values_of
from membership.newsroom.rules.ways import Ways
from membership.web import settings


def versions_of(subject: Subject, limit: int) -> Sequence[SettingsVersion]:
    """The versions of a subject, the newest first, at most `limit`."""
    mine = select(SettingsVersion).where(SettingsVersion.subject == subject.value)
    return db.session.scalars(mine.order_by(SettingsVersion.number.desc()).limit(limit)).all()


def find_version(subject: Subject, number: int) -> SettingsVersion | None:
    """One version of a subject; None where there is none of that number."""
    mine = select(SettingsVersion).where(SettingsVersion.subject == subject.value, SettingsVersion.number == number)
    return db.session.scalar(mine)


def newest_version(subject: Subject) -> SettingsVersion | None:
    """The version that counts; None where nobody ever saved one."""
    return next(iter(versions_of(subject, 1)), None)


def values_in(version: SettingsVersion) -> Values:
    """What counted with a version: what was saved, or what the environment says where it went back to that."""
    subject = Subject(version.subject)
    return values_of(subject, version.values) if version.values is not None else first_values(settings())[subject]


def values_at(subject: Subject, number: int) -> Values | None:
    """What counted with the version of that number, 0 for what was there before the first; None for an unknown one."""
    if number == 0:
        first = find_version(subject, 1)
        return values_of(subject, first.before) if first is not None else current().values[subject]
    version = find_version(subject, number)
    return values_in(version) if version is not None else None


def name_at(at: datetime) -> str:
    """How the newsroom was called at a moment: receipts keep the name that they were made with."""
    later = (
        select(SettingsVersion)
        .where(SettingsVersion.subject == Subject.NAMES.value, SettingsVersion.saved_at > at)
        .order_by(SettingsVersion.number)
        .limit(1)
    )
    version = db.session.scalar(later) if current().number(Subject.NAMES) else None
    return Names.of(version.before).name if version is not None else current().names.name


def all_names() -> list[str]:
    """Every name that the newsroom had here, that of now first: codes that were made with an older one still come."""
    before = [Names.of(version.before).name for version in _all(Subject.NAMES)]
    return list(dict.fromkeys([current().names.name, *before]))


def all_accounts() -> list[str]:
    """The IBAN of every account that was offered here, that of now first: old standing orders go on."""
    before = [Ways.of(version.before).iban for version in _all(Subject.WAYS)]
    return list(dict.fromkeys(iban for iban in [current().ways.iban, *before] if iban is not None))


def _all(subject: Subject) -> list[SettingsVersion]:
    """Every version of a subject, the newest first; where nobody ever saved one, without asking."""
    if not current().number(subject):
        return []
    mine = select(SettingsVersion).where(SettingsVersion.subject == subject.value)
    return list(db.session.scalars(mine.order_by(SettingsVersion.number.desc())))


def find_theme(mark: str) -> str | None:
    """The style sheet of this mark, of now or of an earlier version of the colours; None where there was never one."""
    known = tokens()
    palettes = [current().colours, *(Colours.of(version.before) for version in _all(Subject.COLOURS))]
    return next((css for css in (colours.css(known) for colours in palettes) if css and name_of(css) == mark), None)
