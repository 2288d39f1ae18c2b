"""Pages of polls: `lists` and `ballots` for voters, `files` for who checks, `results`, and the desk of the staff."""

from membership.polls.counting import RULES
from membership.polls.views.ballots import bp as ballots_bp
from membership.polls.views.desk import bp as desk_bp
from membership.polls.views.files import bp as files_bp
from membership.polls.views.lists import bp as lists_bp
from membership.polls.views.results import bp as results_bp

# For `templates/polls/rules.html`: a rule that has no words of its own there is told in those of its file.
lists_bp.add_app_template_global(RULES.__getitem__, "counting_rule")

BLUEPRINTS = (lists_bp, ballots_bp, files_bp, results_bp, desk_bp)

__all__ = ["BLUEPRINTS"]
