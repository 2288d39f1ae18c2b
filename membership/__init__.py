"""Reader support and membership for independent newsrooms. Nothing runs on import."""
