"""Reads for the front of the house: one file per subject."""

from membership.front.queries.desk import Desk, desk
from membership.front.queries.front_page import Goal, Vote, goal, stories, vote

__all__ = ["Desk", "Goal", "Vote", "desk", "goal", "stories", "vote"]
