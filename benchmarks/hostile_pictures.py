"""Damaged and hostile pictures, lists of names and ONNX files: each gives a scene or one clear line, in bounded time and memory.

python benchmarks/hostile_pictures.py [--count 300] [--seed 0] [--seconds 20] [--memory 1500]

Each case is perceived in a process that is already warm; a case that raises anything but KgmmError, takes too long, fills the memory,
or opens a file outside its folder fails. Exit code 1 if one did.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kgmm.errors import KgmmError
from kgmm.perceivers import onnx, perceive

Case = tuple[str, Callable[[], Any]]
KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


def photograph(draw: random.Random, mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(draw.randrange(1000)).integers(0, 256, (60, 90, 3), np.uint8)
    return Image.fromarray(pixels).resize((180, 120)).convert(mode)


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **more)
    return data.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int = 8, colour: int = 2, data: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def pictures(draw: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield kinds of damaged or hostile picture files without end."""
    while True:
        kind = draw.choice(KINDS)
        whole = saved(photograph(draw), kind)
        yield f"truncated {kind}", whole[: draw.randrange(len(whole))]
        flipped = bytearray(whole)
        for _ in range(draw.choice((1, 5, 50))):
            flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        yield f"flipped {kind}", bytes(flipped)
        header = bytearray(whole)
        for _ in range(4):
            header[draw.randrange(min(64, len(header)))] = draw.choice((0, 127, 255))
        yield f"header of {kind}", bytes(header)
        width, height = draw.choice(((2**31 - 1, 2**31 - 1), (60_000, 60_000), (0, 5), (1, 70_000_000), (8000, 8000)))
        yield "sizes", png(width, height, data=b"\0" * 1000)
        yield "bomb", png(7900, 7900, 8, 0, b"\0" * (7901 * 7900))
        yield (
            "bomb of text",
            png(9, 9)[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 50_000_000)) + png(9, 9)[33:],
        )
        exif = Image.Exif()
        exif[0x0112] = draw.choice((0, 3, 5, 8, 9, 65535))
        yield "orientation", saved(photograph(draw), "JPEG", exif=exif)
        noise = b"Exif\0\0" + draw.randbytes(60)
        yield "exif of noise", saved(photograph(draw), "JPEG", exif=noise)
        frames = [photograph(draw) for _ in range(5)]
        kind = draw.choice(("GIF", "WEBP", "PNG", "TIFF"))
        yield f"animated {kind}", saved(frames[0], kind, save_all=True, append_images=frames[1:])
        yield "16 bits", saved(Image.fromarray(np.random.default_rng(0).integers(0, 65536, (40, 50), np.uint16)), "PNG")
        yield "palette", saved(photograph(draw, "P"), "PNG", transparency=draw.randrange(256))
        yield "CMYK", saved(photograph(draw, "CMYK"), draw.choice(("JPEG", "TIFF")))
        yield "grey with alpha", saved(photograph(draw, "LA"), "PNG")
        yield "one bit", saved(photograph(draw, "1"), draw.choice(("PNG", "TIFF", "PPM")))
        yield "one pixel", png(1, 1, data=b"\0\1\2\3")
        yield "a line", saved(Image.new("RGB", (draw.choice((1, 3)), 20_000)), "PNG")
        yield "empty", b""
        yield (
            "text",
            draw.choice((b"<svg onload='x'>", b"%!PS\n(/etc/passwd) run", b"#!/bin/sh\ntouch x", b"P6 9 9 255 ")),
        )
        yield "PPM that claims", b"P6\n" + str(draw.choice((10**9, 30_000, 0, -5))).encode() + b" 5\n255\n" + b"a" * 99
        yield (
            "noise",
            draw.choice((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"GIF89a", b"II*\0")) + draw.randbytes(500),
        )


def places(folder: Path) -> list[tuple[str, Path]]:
    """Return names that are no picture files."""
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "passwd.png").symlink_to("/etc/passwd")
    (folder / "gone.png").symlink_to(folder / "nothing")
    odd = [
        *folder.iterdir(),
        Path("/dev/zero"),
        Path("/dev/stdin"),
        folder / ("x" * 300),
        folder / "a\0b",
        folder / "none.png",
    ]
    return [(f"place {path.name[:12]!r}", path) for path in odd]


def names(draw: random.Random) -> Iterator[tuple[str, bytes]]:
    while True:
        yield "names: noise", draw.randbytes(300)
        yield "names: too long", b"cat\n" * 400_000
        yield "names: one", b"cat"
        yield "names: twice", b"cat\n" * 80
        yield "names: UTF-16", "\n".join(["cat"] * 80).encode("utf-16")
        yield "names: deep", b"[" * 100_000
        yield "names: odd", json.dumps({str(n): "<script>" + chr(0x202E) for n in range(80)}).encode()
        yield "names: negative", b'{"-5": "cat", "3": "dog"}'
        yield "names: huge number", b'{"' + b"9" * 5000 + b'": "cat"}'
        yield "names: a long line", b"x" * 900_000


def models(draw: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield damaged and hostile ONNX files without end."""
    from onnx import TensorProto, external_data_helper, helper, numpy_helper

    def model(
        nodes: list[Any],
        out: list[Any],
        constants: Any = (),
        shape: Any = (1, 3, 64, 64),
        opset: int = 17,
        domain: str = "",
    ) -> bytes:
        inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)]
        infos = [helper.make_tensor_value_info("out", TensorProto.FLOAT, out)]
        graph = helper.make_graph(nodes, "g", inputs, infos, list(constants))
        made = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
        return helper.make_model(graph, opset_imports=made, ir_version=9).SerializeToString()

    def table(*shape: int) -> Any:
        return helper.make_node(
            "Constant", [], ["out"], value=numpy_helper.from_array(np.zeros(shape, np.float32), "t")
        )

    def sized(name: str, shape: list[int]) -> Any:
        return numpy_helper.from_array(np.array(shape, np.int64), name)

    def outside(location: str) -> bytes:
        tensor = numpy_helper.from_array(np.zeros(4, np.float32), "secret")
        external_data_helper.set_external_data(tensor, location=location, length=16)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        return model([helper.make_node("Identity", ["secret"], ["out"])], [4], [tensor])

    def loop(times: int) -> bytes:
        values = [
            helper.make_tensor_value_info(n, t, s)
            for n, t, s in (
                ("i", TensorProto.INT64, []),
                ("c", TensorProto.BOOL, []),
                ("v", TensorProto.FLOAT, [300, 300]),
            )
        ]
        ends = [
            helper.make_tensor_value_info("c2", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v2", TensorProto.FLOAT, [300, 300]),
        ]
        body = helper.make_graph(
            [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("MatMul", ["v", "v"], ["v2"])],
            "b",
            values,
            ends,
        )
        start = numpy_helper.from_array(np.full((300, 300), 1e-3, np.float32), "start")
        counts = [
            numpy_helper.from_array(np.array(times, np.int64), "n"),
            numpy_helper.from_array(np.array(True), "on"),
            start,
        ]
        return model([helper.make_node("Loop", ["n", "on", "start"], ["out"], body=body)], [300, 300], counts)

    whole = model([table(1, 84, 85)], [1, 84, 85])
    huge = numpy_helper.from_array(np.zeros(4, np.float32), "huge")
    huge.dims[:] = [1 << 20, 1 << 20]
    fill = numpy_helper.from_array(np.zeros(1, np.float32))
    while True:
        yield "model: truncated", whole[: draw.randrange(len(whole))]
        flipped = bytearray(whole)
        for _ in range(draw.choice((1, 10))):
            flipped[draw.randrange(min(300, len(flipped)))] = draw.randrange(256)
        yield "model: flipped", bytes(flipped)
        yield (
            "model: outside",
            outside(draw.choice(("../../etc/passwd", "/etc/passwd", "../" * 9 + "etc/shadow", "weights"))),
        )
        yield (
            "model: own operation",
            model([helper.make_node("Evil", ["images"], ["out"], domain="evil")], [1, 84, 85], domain="evil"),
        )
        yield (
            "model: declares much",
            model([helper.make_node("Identity", ["huge"], ["out"])], [1 << 20, 1 << 20], [huge]),
        )
        yield (
            "model: fills memory",
            model(
                [helper.make_node("ConstantOfShape", ["s"], ["out"], value=fill)],
                [1, 1 << 24, 85],
                [sized("s", [1, 1 << 24, 85])],
            ),
        )
        yield (
            "model: fills more",
            model(
                [helper.make_node("ConstantOfShape", ["s"], ["out"], value=fill)],
                [1, 1 << 40, 85],
                [sized("s", [1, 1 << 40, 85])],
            ),
        )
        yield "model: loops", loop(draw.choice((1 << 40, 2**62)))
        yield (
            "model: shapes",
            model([table(*draw.choice(((1,), (1, 84, 5), (0, 84, 85), (1, 1000), (1, 4, 2, 85), (1, 0, 6))))], None),
        )
        yield (
            "model: inputs",
            model(
                [table(1, 84, 85)],
                [1, 84, 85],
                shape=draw.choice((None, (1,), (1, 1, 8, 8), (1, 3, 1 << 20, 8), (9, 3, 64, 64))),
            ),
        )
        yield "model: future", model([table(1, 84, 85)], [1, 84, 85], opset=999)
        yield "model: text", draw.choice((b"", b"import os", b"\x80\x04cos\nsystem\n(S'id'\ntR.", b"\x08\x09" * 9000))


def cases(count: int, draw: random.Random, folder: Path) -> Iterator[Case]:
    """Yield *count* cases: half pictures, a tenth lists of names, the rest models."""
    good = saved(photograph(draw), "PNG")
    (folder / "good.png").write_bytes(good)
    odd = places(Path(tempfile.mkdtemp(dir=folder)))
    yield from ((kind, lambda path=path: perceive(path)) for kind, path in odd)  # type: ignore[misc]
    files = ((folder / f"{n}{draw.choice(('.png', '.jpg', '.txt', ''))}", *one) for n, one in enumerate(pictures(draw)))
    left = count - len(odd)
    for path, kind, data in (next(files) for _ in range(left // 2)):
        path.write_bytes(data)
        yield kind, lambda path=path, data=data: perceive(draw.choice((path, data)))  # type: ignore[misc]
    for n, (kind, data) in zip(range(left // 10), names(draw), strict=False):
        path = folder / f"names{n}"
        path.write_bytes(data)
        yield kind, lambda path=path: names_read(path)  # type: ignore[misc]
    for n, (kind, data) in zip(range(left - left // 2 - left // 10), models(draw), strict=False):
        path = folder / f"{n}.onnx"
        path.write_bytes(data)
        yield kind, lambda path=path: perceive(folder / "good.png", f"onnx:{path}")  # type: ignore[misc]


def names_read(path: Path) -> Any:
    """Give a good detector a list of names."""
    from tests.perceivers.onnx_files import layouts, write

    model = path.with_name("detector.onnx")
    if not model.is_file():
        write(model, layouts()["yolox"][0])
    return perceive(path.with_name("good.png"), "onnx", model=model, labels=path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0, help="that one case may take")
    parser.add_argument("--memory", type=int, default=1500, help="MiB that all cases may add")
    options = parser.parse_args()
    perceive(np.zeros((64, 64, 3), np.uint8))
    onnx.SECONDS = 3.0  # of a look; 60 else, as long for the user and too long to wait for here
    opened: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
        start, outcomes, failed, slowest = _memory(), Counter[str](), [], []
        for kind, run in cases(options.count, random.Random(options.seed), folder):
            opened.clear()
            before, clock = _memory(), time.perf_counter()
            try:
                run()
                outcome = "scene"
            except KgmmError as error:
                outcome = "refused" if "\n" not in str(error) and len(str(error)) < 1000 else f"unclear: {error}"[:200]
            except Exception as error:
                outcome = f"{type(error).__name__}: {error}"[:200]
            seconds, grown = time.perf_counter() - clock, _memory() - before
            read = [name for name in opened if name.startswith("/etc/") and kind.startswith("model")]
            outcomes[outcome if outcome in ("scene", "refused") else "failed"] += 1
            slowest.append((round(seconds, 2), round(grown), kind))
            if outcome not in ("scene", "refused") or seconds > options.seconds or read:
                failed.append((kind, outcome, round(seconds, 1), read))
    grown = _memory() - start
    print(dict(outcomes), f"memory at most + {grown:.0f} MiB", f"slowest {sorted(slowest)[-3:]}", sep="\n")
    print("most memory", sorted(slowest, key=lambda one: -one[1])[:4])
    for one in failed:
        print("FAILED", *one)
    return 1 if failed or grown > options.memory else 0


def _memory() -> float:
    """Return the most MiB this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
