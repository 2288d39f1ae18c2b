"""Pages of corrections: for readers, for the newsroom's own site, and for the desk."""

from membership.corrections.views.desk import desk_bp
from membership.corrections.views.embed import embed_bp
from membership.corrections.views.reading import bp
from membership.corrections.views.reporting import report_bp

BLUEPRINTS = (bp, report_bp, embed_bp, desk_bp)

__all__ = ["BLUEPRINTS"]
