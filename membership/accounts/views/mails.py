"""Which mails come, and in which language."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from membership.accounts import services
from membership.accounts.forms import MailsForm
from membership.accounts.views.signing_in import bp
from membership.mail import wishes
from membership.mail.catalogue import About, list_stoppable
from membership.mail.queries import stops_of
from membership.web.access import audience
from membership.web.forms import Form
from membership.web.i18n import spoken


@bp.get("/account/mails")
@audience("member")
def mails() -> ResponseReturnValue:
    """One tick for each sort of mail that can be stopped."""
    stopped = stops_of(current_user.id)
    wanted = [about.value for about in list_stoppable() if about not in stopped]
    return _page(MailsForm(data={"wanted": wanted, "locale": spoken(current_user.locale)}))


@bp.post("/account/mails")
@audience("member", rate="write")
def choose_mails() -> ResponseReturnValue:
    """Keep what was ticked."""
    form = MailsForm()
    if not form.validate():
        return _page(form), 422
    wanted = set(form.wanted.data or ())
    wishes.choose(current_user.id, {about for about in list_stoppable() if about.value not in wanted})
    services.choose_locale(current_user.id, str(form.locale.data))
    flash(_("Saved. What is already on its way may still arrive."))
    return redirect(url_for("accounts.mails"), 303)


@bp.post("/account/mails/none")
@audience("member", rate="write")
def no_mails() -> ResponseReturnValue:
    """Nothing more but what is about their money and their sign-in."""
    Form()
    wishes.choose(current_user.id, list_stoppable())
    flash(_("Saved. From now on we write only about your money and your sign-in."))
    return redirect(url_for("accounts.mails"), 303)


def _page(form: MailsForm) -> str:
    return render_template("accounts/mails.html", form=form, all_stopped=not (form.wanted.data or ()), About=About)
