"""Who is a patron, when, and why: coverage, grace, standing, movements."""
