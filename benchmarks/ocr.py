"""Lines of English words drawn at random, read by the perceiver ``ocr``: how many come out exactly, without and with spaces put back."""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kgmm.perceivers import ocr

WORDS = (
    "exit only fire please stop no parking bus route open daily bakery city hall central station platform keep left road"
    " closed ahead school lost dog reward call tickets here gate way out coffee tea fresh bread red line north end"
).split()
FONTS = ("", "DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=150)
    most = parser.parse_args().lines
    folder = Path(matplotlib.__file__).parent / "mpl-data/fonts/ttf"
    random, engine = np.random.default_rng(0), ocr._engine()
    raw = put = letters = 0
    for k in range(most):
        said = " ".join(random.choice(WORDS, random.integers(1, 5)))
        said = [said.upper(), said, said.title()][k % 3]
        face, size = FONTS[k % len(FONTS)], int(random.integers(16, 50))
        font = ImageFont.truetype(str(folder / f"{face}.ttf"), size) if face else ImageFont.load_default(size)
        ground, ink = (tuple(map(int, random.integers(*span, 3))) for span in ((0, 110), (170, 255)))
        image = Image.new("RGB", (int(font.getlength(said)) + 80, size + 60), ground)
        ImageDraw.Draw(image).text((40, 25), said, fill=ink, font=font)
        pixels = np.asarray(image)
        found, _ = engine(np.ascontiguousarray(pixels[..., ::-1]), text_score=0.5)
        as_read = " ".join(row[1] for row in found or ())
        with_gaps = " ".join(words for words, *_ in ocr.in_order(ocr.read(engine, pixels, 0.5)))
        raw += as_read == said
        put += with_gaps == said
        letters += as_read.replace(" ", "") == said.replace(" ", "")
    print(
        f"{most} lines: exact as read {raw / most:.1%}, with gaps {put / most:.1%}; letters right {letters / most:.1%}"
    )


if __name__ == "__main__":
    main()
