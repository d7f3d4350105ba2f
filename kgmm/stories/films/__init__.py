"""Film summarizers, one file per method."""
