"""SPARQL over a store: a derived Oxigraph index, asked in a process that can be ended."""
