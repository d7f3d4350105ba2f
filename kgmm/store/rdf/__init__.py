"""A store as RDF: terms, text, exports, and an rdflib store."""
