"""HTTP plumbing shared by all rooms: doors, forms, limits, languages, headers, error pages."""

from typing import cast

from flask import current_app

from membership.config import Settings


def settings() -> Settings:
    """The settings of the app that is running; RuntimeError outside an app context."""
    return cast("Settings", current_app.extensions["membership.settings"])
