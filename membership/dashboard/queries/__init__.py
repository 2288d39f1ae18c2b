"""Reads of the dashboard: `sums` (roll-ups of days), `rates` (what currencies were worth), `polls`."""
