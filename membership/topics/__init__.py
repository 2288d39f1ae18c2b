"""What members want covered, and what became of it: proposals, followers, stories, the promise."""
