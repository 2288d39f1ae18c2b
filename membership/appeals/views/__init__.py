"""The desk of appeals, and the door for what was seen of them. Readers see them on the newsroom's own pages, by script
(`front/views/embeds.py`).
"""

from membership.appeals.views.desk import desk_bp
from membership.appeals.views.events import events_bp

BLUEPRINTS = (desk_bp, events_bp)

__all__ = ["BLUEPRINTS"]
