"""Pages of the settings, and the style sheet that they make."""

from membership.newsroom.views.desk import bp
from membership.newsroom.views.theme import theme_bp

BLUEPRINTS = (bp, theme_bp)

__all__ = ["BLUEPRINTS"]
