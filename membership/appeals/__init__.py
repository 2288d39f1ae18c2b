"""Appeals: what the newsroom asks readers of its articles, by which rules, in which words."""
