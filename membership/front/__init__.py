"""The front page and the demo; reads everything."""
