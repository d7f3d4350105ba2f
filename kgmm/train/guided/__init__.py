"""Three ways in which knowledge guides a network: as a prior, as a teacher, as a reward."""
