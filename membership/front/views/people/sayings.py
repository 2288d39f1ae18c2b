"""What staff may say or mail to somebody whose payment failed, in that person's language.

No finer than what our own mails and pages tell a giver (`FailureClass`): a bank's own words help who tries out stolen
cards.
"""

from flask_babel import force_locale
from flask_babel import gettext as _

from membership.contributions.rules.failing import FailureClass, Why, class_of_failure
from membership.front.queries.trouble import Trouble


def sentence(trouble: Trouble, locale: str) -> str:
    """One or two sentences for the giver, in `locale`; where to mend it is added by whoever sends them."""
    with force_locale(locale):
        if trouble.why is Why.NO_CARD:
            return str(_("We have no card for your support any more. Please give one on your page; then it goes on."))
        match class_of_failure(trouble.row.failure_reason, needs_action=bool(trouble.row.needs_action)):
            case FailureClass.FUNDS:
                return str(
                    _(
                        "Your bank says that there was not enough money in the account, or that the card has reached"
                        " its limit. The same card can work on another day: you need not type it again."
                    )
                )
            case FailureClass.EXPIRED:
                return str(_("The card of your support has expired. Please give us the new one on your page."))
            case FailureClass.CONFIRM:
                return str(
                    _(
                        "Your bank asks you to confirm the payment yourself. Open your page and press"
                        " “Confirm the payment”; the bank then shows its own question."
                    )
                )
    with force_locale(locale):
        return str(
            _(
                "Your bank did not let the payment through, and it can tell you why. You can give the card once more"
                " or use another one on your page."
            )
        )


def letter(trouble: Trouble, page: str, newsroom: str) -> tuple[str, str]:
    """Subject and text of a mail that staff may begin from; `page` is where the giver mends it."""
    locale = trouble.person.locale
    words = sentence(trouble, locale)
    with force_locale(locale):
        subject, hello = str(_("Your support of %(newsroom)s", newsroom=newsroom)), str(_("Hello,"))
    return subject, f"{hello}\n\n{words}\n\n{page}\n"
