"""The program that parses RDF from elsewhere: the document on its input, N-Quads on its output, its memory bounded.

Run as a file by :mod:`kgmm.store.rdf.foreign`, not by people and not as part of kgmm, whose import takes ten times as
long. It is given the bytes of memory it may have, the syntax's media type, and the base IRI or nothing; a syntax error is a line
of JSON on stderr.
"""

import json
import resource
import sys

import pyoxigraph as ox


def main(memory: int, media_type: str, base: str) -> int:
    """Parse; return the exit code."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory if most == resource.RLIM_INFINITY else min(memory, most), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    syntax = ox.RdfFormat.from_media_type(media_type)
    assert syntax is not None
    try:
        quads = ox.parse(sys.stdin.buffer, syntax, base_iri=base or None)
        ox.serialize(quads, sys.stdout.buffer, ox.RdfFormat.N_QUADS)
        sys.stdout.flush()
    except (SyntaxError, ValueError, MemoryError) as error:
        if not error.args:  # out of memory, and not the parser's own bound of a token
            raise
        reason = str(error.args[0])[:2000]
        sys.stderr.write(json.dumps({"reason": reason, "line": getattr(error, "lineno", None)}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
