"""The team: who works here, as what, with which second factor, and where they are signed in. For owners."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from membership.accounts import queries, services
from membership.accounts.forms import ROLES, InviteForm, RoleForm, WhyForm
from membership.accounts.queries import StaffRow
from membership.accounts.rules import Act, Role
from membership.accounts.services import approving
from membership.kernel.errors import Conflict, InvalidInput
from membership.web.access import audience
from membership.web.errors import explain
from membership.web.forms import Form
from membership.web.i18n import current_locale

team_bp = Blueprint("team", __name__)
# Page -> what its form does.
ACTS = {"role": Act.ROLE, "remove": Act.REMOVE, "reset_factor": Act.RESET}

explain("last_owner", _l("This is the only owner. Make somebody else an owner first. Nothing was done."))
explain("not_staff", _l("Nobody of that name is on the staff any more."))
explain("no_session", _l("Nobody is signed in there any more. Nothing was done."))
explain("no_approval", _l("This does not wait for anybody any more. What became of it stands in the audit log."))
explain("own_approval", _l("Somebody else has to agree to this. Nothing was done."))
explain("own_factor", _l("You change your own second factor on your own page. Nothing was done."))


@team_bp.get("/staff/team")
@audience("staff", may="team.run")
def index() -> ResponseReturnValue:
    """Everybody on the staff."""
    waiting = queries.list_waiting()
    return render_template("accounts/desk/team.html", rows=queries.staff_rows(), roles=ROLES, waiting=waiting, act=Act)


@team_bp.get("/staff/team/invite")
@audience("staff", may="team.run", fresh=True)
def invite() -> ResponseReturnValue:
    """Ask whom."""
    return _invite_page(InviteForm(data={"role": Role.VIEWER.value, "locale": current_locale()}))


@team_bp.post("/staff/team/invite")
@audience("staff", rate="write", may="team.run", fresh=True)
def invite_post() -> ResponseReturnValue:
    """Put somebody on the staff, and have them told by mail."""
    form = InviteForm()
    if not form.validate():
        return _invite_page(form), 422
    try:
        who = str(form.email.data), str(form.name.data), str(form.locale.data)
        approving.invite_as(Role(form.role.data), current_user, *who)
    except (Conflict, InvalidInput) as error:
        field = {"name_missing": form.name, "owner_by_two": form.role}.get(error.code, form.email)
        field.errors = [_(error.message)]
        return _invite_page(form), 409 if isinstance(error, Conflict) else 422
    flash(_("They are on the staff, and the mail is on its way."))
    return redirect(url_for("team.index"), 303)


def _invite_page(form: InviteForm) -> str:
    return render_template("accounts/desk/invite.html", form=form, roles=ROLES)


@team_bp.get("/staff/team/<public_id>")
@audience("staff", may="team.run")
def member(public_id: str) -> ResponseReturnValue:
    """One member of staff with everything that an owner may do about them."""
    row = queries.get_staff(public_id)
    return render_template(
        "accounts/desk/member.html",
        row=row,
        roles=ROLES,
        sessions=queries.sessions_of(row.person.id),
        is_me=row.person.id == current_user.id,
        is_last_owner=_is_last_owner(row),
        waiting=[each for each in queries.list_waiting() if each.about.id == row.person.id],
    )


@team_bp.get("/staff/team/<public_id>/role")
@audience("staff", may="team.run", fresh=True)
def role(public_id: str) -> ResponseReturnValue:
    """Ask which one."""
    row = queries.get_staff(public_id)
    return _page("role", row, RoleForm(data={"role": row.member.role}))


@team_bp.post("/staff/team/<public_id>/role")
@audience("staff", rate="write", may="team.run", fresh=True)
def role_post(public_id: str) -> ResponseReturnValue:
    """Give another role."""
    row, form = queries.get_staff(public_id), RoleForm()

    def _act() -> bool:
        return _want(Act.ROLE, row, form, Role(form.role.data))

    return _do("role", row, form, _act, _("It is changed. They show their second factor once more and go on."))


@team_bp.get("/staff/team/<public_id>/remove")
@audience("staff", may="team.run", fresh=True)
def remove(public_id: str) -> ResponseReturnValue:
    """Say what it means."""
    return _page("remove", queries.get_staff(public_id), WhyForm())


@team_bp.post("/staff/team/<public_id>/remove")
@audience("staff", rate="write", may="team.run", fresh=True)
def remove_post(public_id: str) -> ResponseReturnValue:
    """Take somebody off the staff."""
    row, form = queries.get_staff(public_id), WhyForm()

    def _act() -> bool:
        return _want(Act.REMOVE, row, form)

    return _do("remove", row, form, _act, _("They are off the staff."), to=url_for("team.index"))


@team_bp.get("/staff/team/<public_id>/reset-factor")
@audience("staff", may="team.run", fresh=True)
def reset_factor(public_id: str) -> ResponseReturnValue:
    """Say what it means."""
    return _page("reset_factor", queries.get_staff(public_id), WhyForm())


@team_bp.post("/staff/team/<public_id>/reset-factor")
@audience("staff", rate="write", may="team.run", fresh=True)
def reset_factor_post(public_id: str) -> ResponseReturnValue:
    """Take somebody's second factor away, so that they set up another one."""
    row, form = queries.get_staff(public_id), WhyForm()

    def _act() -> bool:
        if row.person.id == current_user.id:
            raise Conflict("own_factor", "You change your own second factor on your own page.")
        return _want(Act.RESET, row, form)

    return _do("reset_factor", row, form, _act, _("It is reset. You are both told by mail."))


@team_bp.post("/staff/team/<public_id>/sessions/<int:session_id>/end")
@audience("staff", rate="write", may="team.run")
def end_session(public_id: str, session_id: int) -> ResponseReturnValue:
    """Sign somebody out in one browser."""
    Form()
    row = queries.get_staff(public_id)
    services.end_session(row.person.id, session_id, actor=_me())
    flash(_("That browser is signed out."))
    return redirect(url_for("team.member", public_id=public_id), 303)


def _do(
    page: str, row: StaffRow, form: WhyForm, act: Callable[[], bool], done: str, *, to: str | None = None
) -> ResponseReturnValue:
    """Carry one action out, or ask a second owner; what stands in its way is said above its form."""
    here = url_for("team.member", public_id=row.person.public_id)
    if not form.validate():
        return _page(page, row, form), 422
    try:
        waits = act()
    except Conflict as error:
        return _page(page, row, form, error.code), 409
    if waits:
        flash(_("A second owner has to agree first. They are asked by mail; until then nothing is done."))
        return redirect(here, 303)
    flash(done)
    return redirect(to or here, 303)


def _want(act: Act, row: StaffRow, form: WhyForm, role: Role | None = None) -> bool:
    """Whether it waits for a second owner now."""
    return approving.do_or_ask(approving.Wish(act, row.person.id, current_user, form.reason.data or "", role))


def _page(page: str, row: StaffRow, form: WhyForm, problem: str | None = None) -> str:
    approvers = approving.find_approvers(ACTS[page], current_user.id, row.person.id)
    return render_template(
        f"accounts/desk/{page}.html", row=row, form=form, roles=ROLES, problem=problem, approvers=approvers
    )


# What waits for a second owner --------------------------------------------------------------------------


@team_bp.get("/staff/team/approvals/<approval_id>")
@audience("staff", may="team.run", fresh=True)
def approval(approval_id: str) -> ResponseReturnValue:
    """Say what another owner asks for, and why."""
    waiting = queries.get_waiting(approval_id)
    may_agree = approving.find_approvers(Act(waiting.row.act), waiting.asker.id, waiting.about.id)
    return render_template(
        "accounts/desk/approval.html",
        waiting=waiting,
        roles=ROLES,
        act=Act,
        may_agree=current_user.id in {person.id for person in may_agree},
        is_mine=waiting.asker.id == current_user.id,
    )


@team_bp.post("/staff/team/approvals/<approval_id>")
@audience("staff", rate="write", may="team.run", fresh=True)
def approve(approval_id: str) -> ResponseReturnValue:
    """Agree, and have it done."""
    Form()
    approving.approve(approval_id, current_user)
    flash(_("You agreed, and it is done. You are both told by mail."))
    return redirect(url_for("team.index"), 303)


@team_bp.post("/staff/team/approvals/<approval_id>/refuse")
@audience("staff", rate="write", may="team.run")
def refuse_approval(approval_id: str) -> ResponseReturnValue:
    """Say no."""
    Form()
    approving.refuse(approval_id, current_user)
    flash(_("You refused, and nothing was done. All owners are told by mail."))
    return redirect(url_for("team.index"), 303)


@team_bp.post("/staff/team/approvals/<approval_id>/withdraw")
@audience("staff", rate="write", may="team.run")
def withdraw_approval(approval_id: str) -> ResponseReturnValue:
    """Take back what one asked for."""
    Form()
    approving.withdraw(approval_id, current_user)
    flash(_("You took it back, and nothing was done. All owners are told by mail."))
    return redirect(url_for("team.index"), 303)


def _is_last_owner(row: StaffRow) -> bool:
    owners = [each for each in queries.staff_rows() if each.member.role == Role.OWNER]
    return len(owners) == 1 and owners[0].person.id == row.person.id


def _me() -> str:
    return services.staff_name(current_user)
