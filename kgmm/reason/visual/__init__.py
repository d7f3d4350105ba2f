"""Networks that read pictures of coloured shapes: one reasoner, a table of networks."""
