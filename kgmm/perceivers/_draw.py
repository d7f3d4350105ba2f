"""Drawing a scene's boxes and names on its picture."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from kgmm.errors import BadInput
from kgmm.scene import SceneGraph
from kgmm.scene.images import read_image

#: Colours of boxes that stay apart for most colour-blind eyes (Okabe and Ito 2008).
PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")


def draw_scene(scene: SceneGraph, path: str | Path) -> None:
    """Write the scene's picture with a named box for each object; BadInput if it has none or *path* names no format."""
    if scene.image is None:
        raise BadInput(scene.id, "this scene names no picture to draw on")
    picture = read_image(scene.image, max_side=1280)
    factor = picture.pixels.shape[1] / (scene.width or picture.width)
    image = Image.fromarray(picture.pixels)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(12, image.width // 45))
    for number, o in enumerate(scene.objects):
        if o.box is None:
            continue
        colour = PALETTE[number % len(PALETTE)]
        x, y, w, h = (value * factor for value in o.box)
        pen.rectangle((x, y, x + w, y + h), outline=colour, width=max(2, image.width // 250))
        text = f"{o.name} {o.score:.2f}"
        left, top, right, bottom = pen.textbbox((x + 4, y + 3), text, font=font)
        pen.rectangle((left - 3, top - 2, right + 3, bottom + 2), fill=colour)
        pen.text((x + 4, y + 3), text, fill="black", font=font)
    try:
        image.save(path)
    except ValueError as error:
        raise BadInput(path, "no picture format of that name; use .png or .jpg") from error
