"""Appeals: what readers of articles are asked, under which rules, and what came of it."""
