"""The mother of every form: only the fields that it names, each once, and our CSRF token."""

from collections.abc import Iterator
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from werkzeug.exceptions import BadRequest
from wtforms import Field, FieldList, FormField, SelectMultipleField
from wtforms.meta import DefaultMeta

from membership.web.i18n import current_locale

SUBMIT_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF carries no types
    """A form that refuses what it did not ask for: 400 for an unknown field or a field that comes twice.

    So nobody adds `role=admin` (security.md S31) or makes two readers of one body see two values (S32).
    A form of one button needs no subclass: `Form()` has the token only.
    """

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # the same
        """Messages of WTForms in the language of the page."""

        @property
        def locales(self) -> list[str]:
            """The language of the page, for WTForms' own messages."""
            return [current_locale()]

        def get_translations(self, form: Any) -> Any:
            """WTForms' own way, which keeps what it has read; Flask-WTF's reads the file for every request."""
            return DefaultMeta.get_translations(self, form)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With `formdata=None` it reads nothing of the request: one of the forms of a page that answers another one.
        if request.method in SUBMIT_METHODS and kwargs.get("formdata", request.form) is not None:
            self._refuse_strangers()

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
