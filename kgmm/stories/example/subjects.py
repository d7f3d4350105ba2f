"""What invented films show: twelve subjects, photographed or drawn, before six settings; all from a scene's name."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from kgmm import bundled
from kgmm.stories.example.drawing import TALL, WIDE, numbers

LARGE = 480  #: pixels of a subject's square as it is drawn; it is reduced for the picture
BROAD = WIDE + 120  #: pixels of a setting, over which the camera pans
Draw = ImageDraw.ImageDraw

#: subject → a wider concept that the bundled knowledge's facts lead to
SUBJECTS = {
    "astronaut": "person",
    "ball": "toy",
    "balloon": "toy",
    "boat": "vehicle",
    "bus": "vehicle",
    "cat": "animal",
    "clock": "device",
    "coffee": "drink",
    "flower": "plant",
    "mushroom": "fungus",
    "pagoda": "building",
    "rocket": "vehicle",
}
#: setting → how people call it
SETTINGS = {
    "beach": ("at the beach", "by the sea", "on the sand"),
    "city": ("in the city at night", "downtown after dark", "among lit windows"),
    "desert": ("in the desert", "among the dunes", "in the hot sand hills"),
    "forest": ("in the forest", "in the woods", "under the trees"),
    "mountains": ("in the snow", "in the snowy mountains", "on the glacier"),
    "room": ("in the living room", "at home", "inside the house"),
}


def _ball(draw: Draw) -> None:
    draw.ellipse((40, 40, 440, 440), fill="white", outline="black", width=6)
    _pentagon(draw, 240, 240, 62, -math.pi / 2)
    for k in range(5):
        angle = -math.pi / 2 + k * 2 * math.pi / 5
        x, y = math.cos(angle), math.sin(angle)
        draw.line((240 + 62 * x, 240 + 62 * y, 240 + 130 * x, 240 + 130 * y), fill="black", width=6)
        _pentagon(draw, 240 + 160 * x, 240 + 160 * y, 40, angle + math.pi)


def _pentagon(draw: Draw, x: float, y: float, size: float, turn: float) -> None:
    angles = [turn + k * 2 * math.pi / 5 for k in range(5)]
    draw.polygon([(x + size * math.cos(a), y + size * math.sin(a)) for a in angles], fill="black")


def _balloon(draw: Draw) -> None:
    for k, colour in enumerate([(220, 40, 40), (250, 210, 50), (40, 110, 210), (250, 210, 50), (220, 40, 40)]):
        draw.ellipse((60 + 36 * k, 40, 420 - 36 * k, 360), fill=colour)
    draw.polygon([(130, 300), (350, 300), (275, 390), (205, 390)], fill=(220, 40, 40))
    draw.rectangle((205, 400, 275, 450), fill=(120, 80, 40))


def _boat(draw: Draw) -> None:
    draw.polygon([(60, 340), (420, 340), (360, 420), (120, 420)], fill=(120, 50, 30))
    draw.line((230, 40, 230, 340), fill=(60, 40, 20), width=10)
    draw.polygon([(240, 50), (240, 320), (410, 320)], fill=(250, 250, 245))
    draw.polygon([(220, 80), (220, 320), (90, 320)], fill=(235, 235, 230))


def _bus(draw: Draw) -> None:
    draw.rounded_rectangle((20, 120, 460, 360), 30, fill=(250, 190, 20))
    for k in range(5):
        draw.rectangle((45 + k * 72, 150, 100 + k * 72, 220), fill=(40, 60, 80))
    for y in (250, 290):
        draw.rectangle((20, y, 460, y + 8), fill="black")
    draw.rectangle((410, 150, 455, 340), fill=(60, 80, 100))
    for x in (80, 330):
        draw.ellipse((x, 310, x + 100, 410), fill="black")
        draw.ellipse((x + 30, 340, x + 70, 380), fill=(160, 160, 160))


def _clock(draw: Draw) -> None:
    draw.ellipse((40, 40, 440, 440), fill="white", outline=(60, 40, 20), width=24)
    for k in range(12):
        x, y = math.cos(k * math.pi / 6), math.sin(k * math.pi / 6)
        draw.line((240 + 150 * x, 240 + 150 * y, 240 + 172 * x, 240 + 172 * y), fill="black", width=9)
    draw.line((240, 240, 240, 110), fill="black", width=10)
    draw.line((240, 240, 320, 290), fill="black", width=14)


def _mushroom(draw: Draw) -> None:
    draw.rounded_rectangle((190, 230, 290, 440), 40, fill=(240, 230, 205))
    draw.pieslice((60, 60, 420, 420), 180, 360, fill=(200, 30, 30))
    for x, y, r in ((140, 170, 24), (230, 110, 30), (330, 180, 26), (250, 200, 18), (180, 225, 12), (300, 225, 13)):
        draw.ellipse((x - r, y - r, x + r, y + r), fill="white")


DRAWN: dict[str, Callable[[Draw], None]] = {
    "ball": _ball,
    "balloon": _balloon,
    "boat": _boat,
    "bus": _bus,
    "clock": _clock,
    "mushroom": _mushroom,
}


@cache
def _photograph(name: str) -> Image.Image:
    return Image.open(bundled.folder("graphs") / "photos" / f"{name}.jpg").convert("RGB")


def subject(name: str, scene: str) -> Image.Image:
    """Return a subject as a scene shows it, cut out of its ground: a square, mirrored, turned, cropped, tinted."""
    random = numbers("subject", name, scene)
    if name in DRAWN:
        made = Image.new("RGBA", (LARGE, LARGE))
        DRAWN[name](ImageDraw.Draw(made))
    else:
        photo = _photograph(name)
        side = int(min(photo.size) * random.uniform(0.82, 1))
        left, top = ((size - side) // 2 + int(random.uniform(-0.5, 0.5) * (size - side)) for size in photo.size)
        made = photo.crop((left, top, left + side, top + side)).resize((LARGE, LARGE))
        veil = Image.new("L", made.size)
        ImageDraw.Draw(veil).ellipse((20, 20, LARGE - 20, LARGE - 20), fill=255)
        made.putalpha(veil.filter(ImageFilter.GaussianBlur(14)))
    if random.random() < 0.5:
        made = ImageOps.mirror(made)
    made = made.rotate(random.uniform(-14, 14), Image.Resampling.BICUBIC)
    veil = made.getchannel("A")
    made = ImageEnhance.Color(made.convert("RGB")).enhance(random.uniform(0.65, 1.35))
    made = ImageEnhance.Brightness(made).enhance(random.uniform(0.8, 1.2))
    made.putalpha(veil)
    return made


def setting(name: str, scene: str) -> Image.Image:
    """Return a setting as a scene shows it, broader than a frame: (180, 440)."""
    random = numbers("setting", name, scene)
    image = Image.new("RGB", (BROAD, TALL))
    _PLACES[name](ImageDraw.Draw(image), random)
    image = ImageEnhance.Color(image).enhance(random.uniform(0.6, 1.4))
    return ImageEnhance.Brightness(image).enhance(random.uniform(0.75, 1.2))


def _beach(draw: Draw, random: np.random.Generator) -> None:
    sea, sand = int(random.integers(50, 90)), int(random.integers(105, 145))
    draw.rectangle((0, 0, BROAD, sea), fill=(130, 200, 245))
    draw.rectangle((0, sea, BROAD, sand), fill=(20, 110, 170))
    draw.rectangle((0, sand, BROAD, TALL), fill=(235, 210, 150))
    x = int(random.integers(20, BROAD - 60))
    draw.ellipse((x, 8, x + 34, 42), fill=(255, 240, 120))
    for x in random.integers(0, BROAD, 4).tolist():
        draw.polygon([(x, sand + 30), (x + 12, sand - 6), (x + 24, sand + 30)], fill=(230, 60, 80))


def _city(draw: Draw, random: np.random.Generator) -> None:
    draw.rectangle((0, 0, BROAD, TALL), fill=(12, 14, 40))
    step = int(random.integers(24, 44))
    for x in range(0, BROAD, step):
        roof = int(random.integers(20, 115))
        draw.rectangle((x, roof, x + step - 4, TALL), fill=(28, 28, 52))
        for y in range(roof + 6, TALL, 12):
            for window in range(x + 4, x + step - 6, 8):
                if random.random() < 0.5:
                    draw.rectangle((window, y, window + 3, y + 5), fill=(250, 220, 120))


def _desert(draw: Draw, random: np.random.Generator) -> None:
    draw.rectangle((0, 0, BROAD, 90), fill=(250, 190, 110))
    draw.rectangle((0, 90, BROAD, TALL), fill=(205, 140, 70))
    for _ in range(4):
        x, y = int(random.integers(-80, BROAD)), int(random.integers(70, 120))
        shade = int(random.integers(-20, 20))
        draw.ellipse((x, y, x + 230, y + 130), fill=(210 + shade, 145 + shade, 75 + shade))


def _forest(draw: Draw, random: np.random.Generator) -> None:
    draw.rectangle((0, 0, BROAD, TALL), fill=(170, 215, 190))
    draw.rectangle((0, 140, BROAD, TALL), fill=(60, 100, 40))
    step = int(random.integers(20, 40))
    for x in range(-10, BROAD, step):
        top = int(random.integers(5, 80))
        draw.polygon([(x + 16, top), (x - 6, 150), (x + 38, 150)], fill=(20, int(random.integers(70, 110)), 40))
        draw.rectangle((x + 12, 150, x + 20, 170), fill=(80, 50, 30))


def _mountains(draw: Draw, random: np.random.Generator) -> None:
    draw.rectangle((0, 0, BROAD, TALL), fill=(150, 190, 235))
    step = int(random.integers(60, 110))
    for x in range(-60, BROAD, step):
        top = int(random.integers(10, 70))
        draw.polygon([(x + 60, top), (x - 30, 140), (x + 150, 140)], fill=(150, 160, 180))
        draw.polygon([(x + 60, top), (x + 36, top + 28), (x + 84, top + 28)], fill=(250, 250, 255))
    draw.rectangle((0, 135, BROAD, TALL), fill=(245, 247, 255))


def _room(draw: Draw, random: np.random.Generator) -> None:
    draw.rectangle((0, 0, BROAD, 130), fill=(180, 120, 130))
    draw.rectangle((0, 130, BROAD, TALL), fill=(110, 70, 50))
    for x in (int(random.integers(0, 90)), int(random.integers(180, 320))):
        draw.rectangle((x, 20, x + 70, 80), fill=(200, 230, 250), outline="white", width=5)
    x = int(random.integers(60, BROAD - 110))
    draw.rectangle((x, 90, x + 100, 145), fill=(70, 45, 95))


_PLACES = dict(zip(SETTINGS, (_beach, _city, _desert, _forest, _mountains, _room), strict=True))
