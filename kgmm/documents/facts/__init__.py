"""Facts that sentences of documents state, where a pattern is sure of it; each kept with the place that states it."""
