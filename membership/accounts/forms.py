"""The shapes of what is typed to sign in, and to look after one's account."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from membership.accounts.rules import CODE_DIGITS, Role, canonical_email, plain_code
from membership.kernel.errors import InvalidInput
from membership.mail.catalogue import About, list_stoppable
from membership.web.forms import Form
from membership.web.i18n import offered_languages

LONGEST_TYPED_EMAIL = 320
LONGEST_TYPED_CODE = 20
APP_DIGITS = 6
LONGEST_REASON = 200
LONGEST_NAME, LONGEST_KEY_NAME = 80, 60
LARGEST_ANSWER = 32 * 1024


class EmailForm(Form):
    """One address of mail. After validation `email.data` is in canonical form."""

    email = StringField(
        _l("Your e-mail address"),
        validators=[
            InputRequired(_l("Please type your e-mail address.")),
            Length(max=LONGEST_TYPED_EMAIL, message=_l("This is longer than any e-mail address.")),
        ],
    )

    def validate_email(self, field: StringField) -> None:
        """Refuse what mail cannot be sent to."""
        try:
            field.data = canonical_email(field.data or "")
        except InvalidInput as error:
            raise ValidationError(
                _("We cannot send mail to this address. Please look it over: it should be like name@example.org.")
            ) from error


class AddressForm(EmailForm):
    """Where the link goes, and where it leads."""

    next = HiddenField()


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


# Sort of mail -> what it is called beside its tick, and what is in it.
SORTS = {
    About.TOPICS: (_l("Topics"), _l("What becomes of topics that you follow or that won in your polls.")),
    About.POLLS: (_l("Polls"), _l("A poll opens, and what was chosen in it.")),
    About.REMINDERS: (
        _l("Reminders"),
        _l("A poll closes soon and you have not voted; something that you planned is due."),
    ),
    About.OTHER: (_l("Other news"), _l("Everything else that the newsroom writes to its members.")),
}


class MailsForm(Form):
    """Which sorts of mail are wanted (values of `About`), and the language of mails."""

    wanted = SelectMultipleField(option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False))
    locale = RadioField(_l("Language of our mails"))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.locale.choices = [SelectChoice(*each) for each in offered_languages()]
        self.wanted.choices = [SelectChoice(about.value, SORTS[about][0]) for about in list_stoppable()]
        self.hints = {about.value: SORTS[about][1] for about in list_stoppable()}


# The second factor of staff --------------------------------------------------------------------------------


class AppCodeForm(Form):
    """The six digits that somebody's app shows now. After validation `code.data` is nothing but them."""

    code = StringField(
        _l("The six digits in your app"),
        validators=[
            InputRequired(_l("Please type the six digits that your app shows now.")),
            Length(max=LONGEST_TYPED_CODE, message=_l("The code has six digits.")),
        ],
    )

    def validate_code(self, field: StringField) -> None:
        """Refuse what cannot be a code."""
        field.data = plain_code(field.data or "")
        if len(field.data) != APP_DIGITS or not (field.data.isascii() and field.data.isdecimal()):
            raise ValidationError(_("The code has six digits."))


class AppForm(AppCodeForm):
    """The first code of an app that is being set up; `sealed` is the app's secret, which only we can read."""

    sealed = HiddenField()


class RecoveryForm(Form):
    """One of the codes that somebody wrote down."""

    code = StringField(
        _l("One of your recovery codes"),
        validators=[
            InputRequired(_l("Please type one of your recovery codes.")),
            Length(max=40, message=_l("A recovery code has sixteen letters and digits.")),
        ],
    )


class PasskeyForm(Form):
    """What the browser answered when it was asked for a passkey."""

    answer = HiddenField(validators=[Length(max=LARGEST_ANSWER)])


class NewPasskeyForm(PasskeyForm):
    """A new passkey, and what its owner calls it."""

    name = StringField(
        _l("What to call it"),
        validators=[
            InputRequired(_l("Please give it a name, such as the name of the device.")),
            Length(max=LONGEST_KEY_NAME, message=_l("Please use at most %(n)s characters.", n=LONGEST_KEY_NAME)),
        ],
    )


# The team ----------------------------------------------------------------------------------------------

# Role -> what it is called, and what it is for.
ROLES = {
    Role.OWNER: (_l("owner"), _l("Everything, also the team, the audit log and deleting people.")),
    Role.FINANCE: (_l("finance"), _l("Money and people: refunds, statements, free memberships.")),
    Role.EDITOR: (_l("editor"), _l("Topics and polls.")),
    Role.VIEWER: (_l("viewer"), _l("Looks at everything that is not for owners, and changes nothing.")),
}


def _no_address(_form: object, field: StringField) -> None:
    if "@" in (field.data or ""):
        raise ValidationError(_("Please leave addresses out: the audit log keeps this line for good."))


class WhyForm(Form):
    """Why something is done about a member of staff."""

    reason = StringField(
        _l("The reason"),
        validators=[
            InputRequired(_l("Please say why: it stays in the audit log.")),
            Length(max=LONGEST_REASON, message=_l("Please use at most %(n)s characters.", n=LONGEST_REASON)),
            _no_address,
        ],
    )


def _role_field() -> RadioField:
    return RadioField(
        _l("Role"),
        choices=[SelectChoice(role.value, words) for role, (words, _what) in ROLES.items()],
        validators=[InputRequired(_l("Please choose a role."))],
    )


class RoleForm(WhyForm):
    """Another role, and why."""

    role = _role_field()


class InviteForm(EmailForm):
    """Whom to invite, as what, and in which language they are written to."""

    email = StringField(
        _l("E-mail address"),
        validators=[
            InputRequired(_l("Please type an e-mail address.")),
            Length(max=LONGEST_TYPED_EMAIL, message=_l("This is longer than any e-mail address.")),
        ],
    )
    name = StringField(
        _l("Name, as pages show it"),
        validators=[
            InputRequired(_l("Please type a name.")),
            Length(max=LONGEST_NAME, message=_l("Please use at most %(n)s characters.", n=LONGEST_NAME)),
        ],
    )
    role = _role_field()
    locale = RadioField(_l("Language of our mails"))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.locale.choices = [SelectChoice(*each) for each in offered_languages()]
