"""Loading files: readers parse, one commit takes all of it."""
