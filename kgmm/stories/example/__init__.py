"""The bundled example: evening programmes of an invented channel, and their drawing as real video."""
