"""Pages of accounts: `signing_in` (and out), `sessions` (where), `addresses` (another address of mail), `mails` (which
mails come); of the staff `factor` (the second one), `team` and `audit`.
"""

from flask import Flask

from membership.accounts.views import addresses, mails, sessions
from membership.accounts.views.audit import audit_bp
from membership.accounts.views.factor import ask_factor, factor_bp
from membership.accounts.views.signing_in import bp
from membership.accounts.views.signing_in import install as _install
from membership.accounts.views.team import team_bp

__all__ = ["addresses", "bp", "install", "mails", "sessions"]


def install(app: Flask) -> None:
    """Connect sessions, Flask-Login, the second factor, and all these pages."""
    app.extensions["membership.ask_factor"] = ask_factor
    _install(app)
    for blueprint in (factor_bp, team_bp, audit_bp):
        app.register_blueprint(blueprint)
