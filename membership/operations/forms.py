"""What staff type where they step in: why; and what a test mail needs to know."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import AnyOf, DataRequired, Length, ValidationError

from membership.kernel.words import one_line
from membership.web.forms import Form
from membership.web.i18n import LANGUAGES

LONGEST_REASON = 200


def _no_address(_form: object, field: StringField) -> None:
    if "@" in (field.data or ""):
        raise ValidationError(_("Please leave addresses out: the history keeps this line for good."))


class ReasonForm(Form):
    """A reason; the token of the press; and, where a button is about many things, up to which moment."""

    reason = StringField(
        _l("The reason"),
        filters=[lambda text: one_line(text or "")],
        validators=[
            DataRequired(_l("Please say why: it stays on record.")),
            Length(max=LONGEST_REASON, message=_l("Please use at most %(n)s characters.", n=LONGEST_REASON)),
            _no_address,
        ],
    )
    until = HiddenField()
    form_token = HiddenField()


class TestMailForm(Form):
    """In which language a test mail is to come."""

    locale = StringField(validators=[AnyOf(LANGUAGES)])
    form_token = HiddenField()
