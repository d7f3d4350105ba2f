"""Draw the precision–recall curves of an evaluated hashing method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kgmm.errors import KgmmError, MissingExtra

#: what a file may end with
SUFFIXES = (".png", ".svg")
#: key of the evaluation -> label, colour (told apart in greyscale and by the colour-blind)
CURVES = {
    "image_to_text": ("image → text", "#0b5394"),
    "text_to_image": ("text → image", "#e69138"),
}


def check_plot(path: str | Path) -> Path:
    """Return *path* if a plot can be written there, before a long fit finds that it cannot.

    Raises:
        KgmmError: if it ends neither with .png nor .svg, or its folder is not there.
        MissingExtra: without matplotlib.
    """
    place = Path(path)
    if place.suffix.lower() not in SUFFIXES:
        raise KgmmError(f"{place}: a plot must end with {' or '.join(SUFFIXES)}")
    if not place.parent.is_dir():
        raise KgmmError(f"{place}: there is no folder {place.parent}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra("matplotlib", "notebook") from error
    return place


def plot(found: dict[str, Any], path: str | Path) -> None:
    """Write the curves of both directions of :func:`kgmm.evaluate.hashing.evaluate`, and chance.

    Raises:
        KgmmError: as :func:`check_plot`.
    """
    place = check_plot(path)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for key, (label, color) in CURVES.items():
        recall, precision = zip(*found[key]["precision_recall"], strict=True)
        text = f"{label}, mAP {found[key]['map']:.3f}"
        axes.plot(recall, precision, color=color, marker="o", markersize=3.5, label=text)
    axes.axhline(found["chance"], color="gray", linewidth=1, linestyle=":", label=f"chance, {found['chance']:.3f}")
    axes.set(xlabel="recall", ylabel="interpolated precision", xlim=(0, 1.02), ylim=(0, 1))
    axes.set_title(f"{found['method']}, {found['bits']} bits, database codes {found['codes']}", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    # words stay words, so that they can be searched; without date and random ids the same figures give the same file
    plain = {"Date": None} if place.suffix.lower() == ".svg" else None
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kgmm"}):
        figure.savefig(place, dpi=150, metadata=plain)
