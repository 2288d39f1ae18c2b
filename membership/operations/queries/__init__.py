"""Reads about the installation: one file per subject."""
