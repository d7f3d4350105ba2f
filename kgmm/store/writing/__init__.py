"""Writing a store to a file: RDF, nanopublications, JSON lines, KGTK, Parquet and tables."""
