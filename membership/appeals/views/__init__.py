"""Pages of appeals: the desk. Readers see them on the newsroom's own pages, by the script (`front/views/embeds.py`)."""

from membership.appeals.views.desk import desk_bp

BLUEPRINTS = (desk_bp,)

__all__ = ["BLUEPRINTS"]
