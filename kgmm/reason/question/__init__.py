"""A question in English, parsed: what is asked for, of which objects, by which relation."""
