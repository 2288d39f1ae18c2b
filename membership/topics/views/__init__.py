"""Pages of topics: what everybody reads, where members take part, the desk of staff."""

from membership.topics.views.desk import desk_bp
from membership.topics.views.members import members_bp
from membership.topics.views.reading import bp

BLUEPRINTS = (bp, members_bp, desk_bp)

__all__ = ["BLUEPRINTS"]
