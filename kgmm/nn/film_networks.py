"""The networks that summarize films, by name, and their folders of weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput, KgmmError
from kgmm.nn.dsse import DSSE
from kgmm.nn.film import FilmNetwork
from kgmm.nn.film_policy import FilmPolicy
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.nn.query_memory import QueryMemory
from kgmm.nn.seqdpp import SeqDPP
from kgmm.nn.shdpp import SHDPP

NETWORKS: dict[str, type[FilmNetwork]] = {
    "dsse": DSSE,
    "policy": FilmPolicy,
    "query-memory": QueryMemory,
    "seqdpp": SeqDPP,
    "shdpp": SHDPP,
}

WIDE = ("in_dim", "query_dim", "side_dim", "concepts")  #: sizes of what is read
WIDEST, BROADEST = 50_000, 1_024  #: most numbers that a network from a file reads, and most units of a layer of its own


def film_network(name: str, settings: Mapping[str, Any]) -> FilmNetwork:
    """Return an untrained network; its weights are drawn from torch's own generator.

    Raises:
        KgmmError: if there is no network of that name, or it has no such settings.

    Example:
        >>> film_network("seqdpp", {"in_dim": 8}).settings
        {'in_dim': 8, 'rank': 32, 'hidden': 0, 'length': 10}
    """
    if name not in NETWORKS:
        raise KgmmError(f"no network {name!r} for films; there are: {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](**settings)
    except (TypeError, RuntimeError, ValueError) as error:
        raise KgmmError(f"the settings of {name} are not its own: {error}") from error


@kept_until_rewritten
def load_film_network(folder: Path, name: str) -> tuple[FilmNetwork, tuple[str, ...]]:
    """Return a trained network, ready to judge, and the names of the concepts it was trained with.

    Args:
        folder: as ``kgmm train skim`` writes it.
        name: of :data:`NETWORKS`; a folder of another one is refused.

    Raises:
        BadInput: if there is none in *folder*, it is of another name, or its parts do not fit each other.
    """
    command = f"kgmm train skim DATA --method {name} --out DIR"
    with read_folder(folder, f"a trained {name}", command) as (config, vocabulary):
        if config["name"] != name:
            raise BadInput(folder, f"holds a trained {config['name']}, not {name}; make one with: {command}")
        concepts = vocabulary["concepts"]
        if not isinstance(concepts, list) or not all(isinstance(each, str) for each in concepts):
            raise ValueError("its concepts are not a list of names")
        network = film_network(name, _sane(config["network"]))
    load_weights(network, folder)
    return network, tuple(concepts)


def _sane(settings: Any) -> dict[str, Any]:
    """Return settings from a file, refused where they ask for more memory than such networks need."""
    if not isinstance(settings, dict):
        raise ValueError("its network's settings are no object")
    for name, value in settings.items():
        most = WIDEST if name in WIDE else BROADEST
        if isinstance(value, int) and not 0 <= value <= most:
            raise ValueError(f"its {name} of {value} is not between 0 and {most}")
    return settings
