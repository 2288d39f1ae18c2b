"""Pages of appeals, and what the newsroom's own site asks and tells by script."""
