"""Use cases of the installation: `intervening` (staff step in), `examining`, `counting` and `watching` (the clock)."""
