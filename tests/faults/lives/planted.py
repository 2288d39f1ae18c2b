"""Bugs that are planted to see whether the histories find them."""
