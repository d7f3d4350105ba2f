"""Ways to rank the frames and terms of a story graph, one module each, named as ``method=`` names them.

Each has a function ``rank(edges, query, **options)`` returning the scores of all frames and of all terms.
"""
