"""Reads of the dashboard: `sums` (roll-ups of days), `rates` (what currencies were worth), `ahead` (charges that are
due), `polls`, `stories` (what was published of topics), `needs` (what waits for somebody).
"""
