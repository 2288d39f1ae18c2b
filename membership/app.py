"""Builds the app: extensions, rooms, errors, filters. Nothing is decided here."""

from flask import Flask
from flask_migrate import Migrate

from membership import db, hints, wiring
from membership.accounts import views as accounts
from membership.appeals import views as appeals
from membership.audit import views as audit
from membership.billing.views import bp as billing_bp
from membership.config import Settings
from membership.contributions import views as contributions
from membership.corrections import views as corrections
from membership.dashboard.views import appeals_bp as appeal_numbers_bp
from membership.dashboard.views import bp as dashboard_bp
from membership.front.rules.filters import LIST_ARGUMENTS
from membership.front.views.catalogue import catalogue_bp
from membership.front.views.clock import clock_bp
from membership.front.views.data import data_bp
from membership.front.views.desk import desk_bp
from membership.front.views.embeds import embeds_bp
from membership.front.views.health import health_bp
from membership.front.views.inbox import inbox_bp
from membership.front.views.leaving import leaving_bp
from membership.front.views.mailbox import mailbox_bp
from membership.front.views.mails import mails_bp
from membership.front.views.operations import operations_bp
from membership.front.views.pages import pages_bp
from membership.front.views.people import people_bp
from membership.gifts.views import bp as gifts_bp
from membership.kernel import clock, faults
from membership.mail.views import bp as mail_bp
from membership.newsroom import views as newsroom
from membership.polls import views as polls
from membership.resources import resource_dir
from membership.topics import views as topics
from membership.transfers import views as transfers
from membership.web import access, addresses, errors, filters, i18n, logs, patron_hint, ratelimit, security


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application for `settings` (from the environment by default).

    Raises SettingsRefused with every fault of the environment at once.
    """
    settings = settings or Settings.from_env()
    app = Flask("membership", template_folder=str(resource_dir("templates")))
    addresses.install(app)
    app.extensions["membership.settings"] = settings
    app.config["SECRET_KEY"] = settings.secret_key.get_secret_value()
    faults.arm(settings.fault_at)
    db.init_db(app, settings.database_url)
    Migrate(app, db.db, directory=str(resource_dir("migrations")))
    hints.install(app, settings)
    if settings.demo and not settings.is_live:
        db.follow_movable_clock(app)
    else:
        clock.use_offset(clock.no_offset)
    _install_plumbing(app, settings)
    accounts.install(app)
    audit.install(app, LIST_ARGUMENTS)
    for blueprint in (gifts_bp, people_bp, pages_bp, billing_bp, mail_bp, mailbox_bp, clock_bp, operations_bp, desk_bp):
        app.register_blueprint(blueprint)
    for blueprint in (
        appeal_numbers_bp,
        catalogue_bp,
        dashboard_bp,
        data_bp,
        embeds_bp,
        health_bp,
        inbox_bp,
        leaving_bp,
        mails_bp,
        *newsroom.BLUEPRINTS,
        *contributions.BLUEPRINTS,
        *appeals.BLUEPRINTS,
        *corrections.BLUEPRINTS,
        *topics.BLUEPRINTS,
        *polls.BLUEPRINTS,
        *transfers.BLUEPRINTS,
    ):
        app.register_blueprint(blueprint)
    wiring.install(app, settings)
    return app


def _install_plumbing(app: Flask, settings: Settings) -> None:
    """The order is that in which a request passes: log, brake, door, form token; then what pages need."""
    logs.install(app, settings)
    ratelimit.install(app, settings)
    access.install(app)
    security.install(app, settings)
    errors.install(app)
    i18n.install(app)
    patron_hint.install(app)
    filters.install(app)
