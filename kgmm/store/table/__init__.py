"""The truth of a store: one Delta table of statements and the list of its terms."""
