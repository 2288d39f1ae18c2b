"""Pages of transfers: ways to support, announcements, and the desk of statements."""

from membership.transfers.views.desk import desk_bp
from membership.transfers.views.hand import hand_bp
from membership.transfers.views.support import bp

BLUEPRINTS = (bp, desk_bp, hand_bp)

__all__ = ["BLUEPRINTS"]
