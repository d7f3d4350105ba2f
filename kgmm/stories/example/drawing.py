"""Drawn news pictures for the bundled example: logos, studio, moving footage, all following from the ids by a hash."""

import hashlib
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from kgmm.stories.story import Shot

Pixels = NDArray[np.uint8]
#: pixels of a frame, and where the logo stands in it: x, y, width, height
WIDE, TALL = 320, 180
INSET = (212, 22, 84, 63)
FINE = 4  #: drawn large and reduced, so that edges are smooth


def numbers(*seed: object) -> np.random.Generator:
    """Return random numbers that follow from names alone, the same on every machine."""
    digest = hashlib.sha256("/".join(map(str, seed)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def _colour(random: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    r, g, b = (int(v) for v in random.integers(low, high, 3))
    return r, g, b


@lru_cache(maxsize=64)
def draw_logo(id: str) -> Pixels:
    """Return a newslogo, (63, 84, 3): an emblem of a few shapes on a two-coloured ground, with a white border."""
    random = numbers("logo", id)
    width, height = INSET[2] * FINE, INSET[3] * FINE
    image = Image.new("RGB", (width, height), _colour(random, 20, 140))
    draw = ImageDraw.Draw(image)
    slope = int(random.integers(-height // 2, height))
    draw.polygon([(0, slope), (width, height - slope), (width, height), (0, height)], fill=_colour(random, 60, 220))
    for _ in range(4):
        _shape(draw, random, width, height)
    draw.rectangle((0, 0, width - 1, height - 1), outline="white", width=2 * FINE)
    return np.asarray(image.resize(INSET[2:], Image.Resampling.LANCZOS))


def _shape(draw: ImageDraw.ImageDraw, random: np.random.Generator, width: int, height: int) -> None:
    x, y = (int(v) for v in (random.uniform(0.15, 0.75) * width, random.uniform(0.15, 0.7) * height))
    size = int(random.uniform(0.18, 0.42) * width)
    colour = _colour(random, 30, 255)
    kind = int(random.integers(0, 4))
    if kind == 0:
        draw.ellipse((x, y, x + size, y + size), fill=colour)
    elif kind == 1:
        draw.rectangle((x, y, x + size, y + size * 2 // 3), fill=colour)
    elif kind == 2:
        draw.polygon([(x, y + size), (x + size // 2, y), (x + size, y + size)], fill=colour)
    else:
        draw.line((x, y, x + size, y + size // 2), fill=colour, width=size // 4)


def _with_logo(image: Image.Image, shot: Shot) -> Pixels:
    """Return a picture as an array, (180, 320, 3), with the shot's logo over it if it shows one."""
    pixels = np.array(image)
    if shot.logos:
        left, top, width, height = INSET
        pixels[top : top + height, left : left + width] = draw_logo(shot.logos[0])
    return pixels


class Studio:
    """The anchor's shot: a still set, a person who moves, and beside them the logo."""

    def __init__(self, shot: Shot) -> None:
        random = numbers("studio", shot.broadcast)
        self.random: np.random.Generator = numbers("anchor", shot.id)
        ground = Image.new("RGB", (WIDE, TALL), (24, 40, 78))
        draw = ImageDraw.Draw(ground)
        for i in range(0, WIDE, 32):
            shade = int(random.integers(0, 30))
            blue = (30 + shade, 52 + shade, 96 + shade)
            draw.polygon([(i, 0), (i + 22, 0), (i + 40, TALL), (i + 12, TALL)], fill=blue)
        draw.rectangle((0, 148, WIDE, TALL), fill=(74, 58, 48))
        self.ground = ground
        self.skin: tuple[int, int, int] = (224, 180, 150) if int(shot.broadcast[-1:] or 0) % 2 else (150, 104, 78)
        self.coat: tuple[int, int, int] = _colour(random, 30, 130)
        self.shot = shot

    def at(self, second: float) -> Pixels:
        """Return the picture at a second of the shot, (180, 320, 3)."""
        image = self.ground.copy()
        draw = ImageDraw.Draw(image)
        x = 104 + round(5 * math.sin(1.7 * second) + 2 * math.sin(5.1 * second))
        y = 74 + round(3 * math.sin(2.9 * second))
        draw.ellipse((x - 52, y + 34, x + 52, y + 140), fill=self.coat)
        draw.ellipse((x - 24, y - 32, x + 24, y + 32), fill=self.skin)
        draw.pieslice((x - 26, y - 38, x + 26, y + 14), 180, 360, fill=(50, 36, 28))
        mouth = 2 + round(3 * abs(math.sin(9 * second)))
        draw.ellipse((x - 8, y + 14 - mouth, x + 8, y + 14 + mouth), fill=(120, 40, 44))
        return _with_logo(image, self.shot)


class Footage:
    """A shot from outside: a landscape that the camera pans over, with things that move in it."""

    def __init__(self, shot: Shot) -> None:
        self.shot = shot
        self.random: np.random.Generator = numbers("footage", shot.id)
        self.speed: float = float(self.random.uniform(10, 26)) * (1 if self.random.random() < 0.5 else -1)
        self.scene: Pixels = self._landscape()
        spans = ((0, WIDE), (70, 160), (-40, 40), (10, 26))
        self.things = [
            ([float(self.random.uniform(*span)) for span in spans], _colour(self.random, 10, 255))
            for _ in range(int(self.random.integers(1, 5)))
        ]

    def _landscape(self) -> Pixels:
        random, width = self.random, 3 * WIDE
        image = Image.new("RGB", (width, TALL), _colour(random, 90, 250))
        draw = ImageDraw.Draw(image)
        for level in range(3):
            base, colour = 60 + 38 * level, _colour(random, 20, 230)
            waves = random.uniform(0.004, 0.03, 2), random.uniform(4, 16, 2), random.uniform(0, 6, 2)
            line = [
                (x, base + sum(float(h) * math.sin(float(f) * x + float(p)) for f, h, p in zip(*waves, strict=True)))
                for x in range(0, width + 8, 8)
            ]
            draw.polygon([(0, TALL), *line, (width, TALL)], fill=colour)
        for _ in range(int(random.integers(6, 18))):
            x, top = int(random.integers(0, width)), int(random.integers(40, 140))
            draw.rectangle((x, top, x + int(random.integers(6, 40)), TALL), fill=_colour(random, 10, 240))
        return np.asarray(image)

    def at(self, second: float) -> Pixels:
        """Return the picture at a second of the shot, (180, 320, 3)."""
        span = self.scene.shape[1] - WIDE
        left = int(abs((span / 2 + self.speed * second) % (2 * span) - span)) % max(span, 1)
        image = Image.fromarray(self.scene[:, left : left + WIDE])
        draw = ImageDraw.Draw(image)
        for (x, y, speed, size), colour in self.things:
            at = (x + speed * second) % (WIDE + 40) - 20
            draw.ellipse((at - size, y - size / 2, at + size, y + size / 2), fill=colour)
        return _with_logo(image, self.shot)


def drawn(shot: Shot) -> Studio | Footage:
    """Return what draws a shot: headlines over footage, the studio if it shows a logo or says good night."""
    inside = "good night" in shot.text or (shot.logos and not shot.text.startswith("Headlines"))
    return Studio(shot) if inside else Footage(shot)


def draw_keyframe(shot: Shot) -> Image.Image:
    """Return the keyframe of a shot: its middle."""
    return Image.fromarray(drawn(shot).at((shot.end - shot.start) / 2))
