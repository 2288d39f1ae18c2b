"""The forms of the settings, one for each subject."""

from collections.abc import Callable, Mapping
from typing import Any

from membership.newsroom.forms.base import SettingForm
from membership.newsroom.forms.colours import ColoursForm
from membership.newsroom.forms.plain import GoalForm, LanguagesForm, LateForm, NamesForm
from membership.newsroom.forms.prices import PricesForm
from membership.newsroom.forms.ways import WaysForm
from membership.newsroom.rules.prices import Prices
from membership.newsroom.rules.subjects import Subject

__all__ = ["SettingForm", "form_of"]


FORMS: Mapping[Subject, Callable[..., SettingForm]] = {
    Subject.PRICES: PricesForm.of,
    Subject.GOAL: GoalForm.of,
    Subject.WAYS: WaysForm.of,
    Subject.NAMES: NamesForm.of,
    Subject.LANGUAGES: LanguagesForm.of,
    Subject.COLOURS: ColoursForm.of,
    Subject.LATE: LateForm.of,
}


def form_of(subject: Subject, prices: Prices, **options: Any) -> SettingForm:
    """The form of a subject where these currencies are known; `options` are those of any form."""
    return FORMS[subject](prices, **options)
