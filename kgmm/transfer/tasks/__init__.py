"""Several tasks learned together: what they share helps those with few examples."""
