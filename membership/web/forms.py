"""The mother of every form: only the fields that it names, each once, and our CSRF token."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.csrf import _FlaskFormCSRF
from werkzeug.exceptions import BadRequest
from wtforms import Field, FieldList, FormField, HiddenField, SelectMultipleField
from wtforms.csrf.core import CSRFTokenField
from wtforms.meta import DefaultMeta

from membership.web.access import kept_fields
from membership.web.i18n import current_locale

SUBMIT_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class _TokenField(CSRFTokenField):
    """The form token, signed when a page shows it: a form that was sent and saved never does."""

    @property
    def current_token(self) -> str:  # type: ignore[override]  # WTForms sets it in `process`
        """What Flask-WTF signs for this browser, the same for all forms of one answer."""
        return str(self.csrf_impl.generate_csrf_token(self))

    def process(self, *args: Any, **kwargs: Any) -> None:
        """Take what was sent; WTForms' own would sign a token here."""
        HiddenField.process(self, *args, **kwargs)


class _Protection(_FlaskFormCSRF):  # type: ignore[misc]  # the same
    field_class = _TokenField


@dataclass(frozen=True, slots=True)
class _Messages:
    """WTForms' own messages in the language of the page, looked up with the first one that is needed."""

    meta: DefaultMeta
    form: Any

    def gettext(self, words: str) -> str:
        return str(DefaultMeta.get_translations(self.meta, self.form).gettext(words))

    def ngettext(self, one: str, many: str, n: int) -> str:
        return str(DefaultMeta.get_translations(self.meta, self.form).ngettext(one, many, n))


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF carries no types
    """A form that refuses what it did not ask for: 400 for an unknown field or a field that comes twice.

    So nobody adds `role=admin` (security.md S31) or makes two readers of one body see two values (S32).
    A form of one button needs no subclass: `Form()` has the token only.
    """

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # the same
        """Messages of WTForms in the language of the page, and the form token."""

        csrf_class = _Protection

        @property
        def locales(self) -> list[str]:
            """The language of the page, for WTForms' own messages."""
            return [current_locale()]

        def get_translations(self, form: Any) -> Any:
            """WTForms' own way, which keeps what it has read; Flask-WTF's reads the file for every request."""
            return _Messages(self, form)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With `formdata=None` it reads nothing of the request: one of the forms of a page that answers another one.
        if request.method in SUBMIT_METHODS:
            if kwargs.get("formdata", request.form) is not None:
                self._refuse_strangers()
        else:
            self._fill_in_again()

    def _fill_in_again(self) -> None:
        """Show what was typed before somebody was asked for their second factor; what the page decided is made anew."""
        kept = kept_fields(field.name for field in self)
        for field in self if kept else ():
            if not isinstance(field, HiddenField):
                field.process(kept)

    def _refuse_strangers(self) -> None:
        many = tuple(_names_of(self, (SelectMultipleField,)))
        nested = tuple(name + "-" for name in _names_of(self, (FieldList, FormField)))
        known = {field.name for field in self}
        fields: list[tuple[str, list[Any]]] = [*request.form.lists(), *request.files.lists()]
        for name, values in fields:
            if name not in known and not (nested and name.startswith(nested)):
                raise BadRequest("A field that this form does not have.")
            if len(values) > 1 and name not in many:
                raise BadRequest("A field that came twice.")


def _names_of(form: Form, kinds: tuple[type[Field], ...]) -> Iterator[str]:
    return (field.name for field in form if isinstance(field, kinds))
