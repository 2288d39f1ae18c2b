"""What readers say is wrong in an article, and what the newsroom made of it."""
