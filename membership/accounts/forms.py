"""The shapes of what is typed to sign in."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from membership.accounts.rules import CODE_DIGITS, canonical_email, plain_code
from membership.kernel.errors import InvalidInput
from membership.web.forms import Form

LONGEST_TYPED_EMAIL = 320
LONGEST_TYPED_CODE = 20


class AddressForm(Form):
    """Where the link goes. After validation `email.data` is in canonical form."""

    email = StringField(
        _l("Your e-mail address"),
        validators=[
            InputRequired(_l("Please type your e-mail address.")),
            Length(max=LONGEST_TYPED_EMAIL, message=_l("This is longer than any e-mail address.")),
        ],
    )
    next = HiddenField()

    def validate_email(self, field: StringField) -> None:
        """Refuse what mail cannot be sent to."""
        try:
            field.data = canonical_email(field.data or "")
        except InvalidInput as error:
            raise ValidationError(
                _("We cannot send mail to this address. Please look it over: it should be like name@example.org.")
            ) from error


class CodeForm(Form):
    """The code from the mail. After validation `code.data` is its eight digits."""

    code = StringField(
        _l("The code from the mail"),
        validators=[
            InputRequired(_l("Please type the eight digits from the mail.")),
            Length(max=LONGEST_TYPED_CODE, message=_l("The code has eight digits.")),
        ],
    )

    def validate_code(self, field: StringField) -> None:
        """Refuse what cannot be a code, before a try is counted."""
        field.data = plain_code(field.data or "")
        if len(field.data) != CODE_DIGITS or not (field.data.isascii() and field.data.isdecimal()):
            raise ValidationError(_("The code has eight digits."))
