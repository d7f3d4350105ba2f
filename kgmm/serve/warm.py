"""What first requests would wait for, done at the start: compiling, building, encoding."""

import ctypes
import time
from contextlib import suppress

import numpy as np

from kgmm.encode import text_encoder
from kgmm.language import names
from kgmm.perceivers import perceive
from kgmm.retrieve.ground import common_concepts
from kgmm.scene import SceneGraph, SceneObject
from kgmm.serve import conceptnet
from kgmm.serve.service import Service


def warm(service: Service) -> float:
    """Make a service ready to answer within its limits; return the seconds it took.

    Compiled code and vectors of concepts are kept on disk, so later starts take less.
    """
    start = time.monotonic()
    _share_heaps()
    kb = service.fresh()
    ids, _ = common_concepts(kb, text_encoder("minilm"))
    concept = kb.terms.names(ids[:1])[0] if len(ids) else None
    if concept is not None:
        label = names.label(concept)
        service.neighborhood([concept], 2)
        service.retrieve(f"what is a {label} used for")
        view = service.view()
        if concept in view:
            view.walk(concept).top(10)
            view.paths(concept, concept, k=1, max_length=4, by="walk")
        scene = SceneGraph("warm", (SceneObject("o1", label), SceneObject("o2", "cup")))
        kb.ask(scene, f"Which object is a {label}?").trace.verify(kb)
        conceptnet.related(kb, concept, None, 10)
    service.search("wram")
    perceive(np.zeros((64, 64, 3), np.uint8), perceiver=service.perceiver)
    service.compiled |= {"walk", "paths", "ask", "perceive", "verify", "related", "relatedness"}
    kb.sparql("ASK { ?s ?p ?o }")
    return time.monotonic() - start


def _share_heaps() -> None:
    """Let threads share two heaps where glibc is: each of forty would keep what its largest request has freed."""
    with suppress(OSError, AttributeError, TypeError):  # another system, another C library
        ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX
