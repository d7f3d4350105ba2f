"""Where the bundled knowledge and graphs lie: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

from kgmm.errors import KgmmError


def folder(name: str) -> Path:
    """Return the folder ``knowledge`` or ``graphs`` with the data that ships with kgmm.

    Raises:
        KgmmError: if the installation lacks it.

    Example:
        >>> folder("knowledge").is_dir()
        True
    """
    package = Path(__file__).parent
    for place in (package / "_data" / name, package.parent / name):
        if place.is_dir():
            return place
    raise KgmmError(f"the bundled folder {name!r} is missing from this installation of kgmm")
