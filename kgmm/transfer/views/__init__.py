"""Several views of the same things learned together."""
