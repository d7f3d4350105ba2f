"""SPARQL evaluated in the process on the store's ids: a parser, an algebra, relations of id columns."""
