"""HTTP plumbing shared by all rooms: doors, forms, limits, languages, headers, error pages."""
