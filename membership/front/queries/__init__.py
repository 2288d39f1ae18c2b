"""Reads for the front of the house: one file per subject."""

from membership.front.queries.front_page import Goal, goal

__all__ = ["Goal", "goal"]
