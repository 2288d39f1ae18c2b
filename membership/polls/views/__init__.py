"""Pages of polls: `lists` and `ballots` for voters, `files` for who checks, `results`, and the desk of the staff."""

from membership.polls.views.ballots import bp as ballots_bp
from membership.polls.views.desk import bp as desk_bp
from membership.polls.views.files import bp as files_bp
from membership.polls.views.lists import bp as lists_bp
from membership.polls.views.results import bp as results_bp

BLUEPRINTS = (lists_bp, ballots_bp, files_bp, results_bp, desk_bp)

__all__ = ["BLUEPRINTS"]
