"""What film summarizers share: segments of a film, and the choice of those that fit into a summary."""
