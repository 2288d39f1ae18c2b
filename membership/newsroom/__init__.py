"""What the newsroom sets for itself: cups, goal, names, ways to support."""
