"""A trace as one HTML page that needs no network."""
