"""Small ONNX files that give the same outputs for every picture, in the layouts of known detectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write(
    path: Path,
    outputs: dict[str, np.ndarray],
    shape: tuple[int | str, ...] = (1, 3, 128, 128),
    kind: int = TensorProto.FLOAT,
    more: dict[str, tuple[int, ...]] | None = None,
    names: str = "",
) -> Path:
    """Write a model of these outputs; *more* are inputs of int64 beside the picture."""
    inputs = [helper.make_tensor_value_info("images", kind, shape)]
    inputs += [helper.make_tensor_value_info(name, TensorProto.INT64, size) for name, size in (more or {}).items()]
    nodes, infos = [], []
    for name, value in outputs.items():
        tensor = numpy_helper.from_array(value, name)
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        infos.append(helper.make_tensor_value_info(name, tensor.data_type, value.shape))
    graph = helper.make_graph(nodes, "constant", inputs, infos)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if names:
        helper.set_model_props(model, {"names": names})
    onnx.save(model, str(path))
    return path


#: a picture of 128 × 64 in a frame of 128 × 128; the thing is at (32, 16) to (96, 48)
CELLS = 16 * 16 + 8 * 8 + 4 * 4
CLASS, COUNT = 15, 80  # COCO's cat


def _rows(count: int, row: np.ndarray) -> np.ndarray:
    table = np.zeros((1, count, len(row)), np.float32)
    table[0, 0] = row
    return table


def _hot(count: int, at: int = CLASS, value: float = 0.9) -> np.ndarray:
    row = np.zeros(count, np.float32)
    row[at] = value
    return row


def layouts() -> dict[str, tuple[dict[str, np.ndarray], dict[str, object]]]:
    """Return for each layout the outputs that show a cat there, and what else its file has."""
    middle = np.array([64, 64, 64, 32], np.float32)  # centre and size in a frame that holds the picture in its middle
    corner = np.array([64, 32, 64, 32], np.float32)  # the same with the picture at the top left
    part = np.array([0.5, 0.5, 0.5, 0.5], np.float32)  # stretched, as parts
    corners = np.array([[32, 32, 96, 96]], np.float32)
    cell = np.array([[corner[0] / 8, corner[1] / 8, np.log(8), np.log(4)]], np.float32)[0]
    annotated = 17  # the cat's number in COCO's annotations
    logits = np.full((1, 5, 92), -9, np.float32)
    logits[0, :, 91], logits[0, 0, annotated] = 9, 12
    sigmoid = np.full((1, 5, COUNT), -9, np.float32)
    sigmoid[0, 0, CLASS] = 3
    heads = np.zeros((1, 7, 81), np.float32)
    heads[0, :, 0], heads[0, 0, 0], heads[0, 0, CLASS + 1] = 1, 0.1, 0.9
    end = np.zeros((1, 300, 6), np.float32)
    end[0, 0] = [32, 48, 96, 80, 0.9, CLASS]
    return {
        "yolox": ({"output": _rows(CELLS, np.concatenate((cell, [0.95], _hot(COUNT))))}, {}),
        "yolox decoded": ({"output": _rows(CELLS, np.concatenate((corner, [0.95], _hot(COUNT))))}, {}),
        "yolov5": ({"output0": _rows(3 * CELLS, np.concatenate((middle, [0.95], _hot(COUNT))))}, {}),
        "yolov8": ({"output0": _rows(CELLS, np.concatenate((middle, _hot(COUNT)))).transpose(0, 2, 1).copy()}, {}),
        "yolov10": ({"output0": end}, {}),
        "detr": ({"logits": logits, "pred_boxes": _rows(5, part)}, {}),
        "rt-detr": ({"logits": sigmoid, "pred_boxes": _rows(5, part)}, {}),
        "rt-detr whole": (
            {
                "labels": np.array([[CLASS]]),
                "boxes": np.array([[[32, 16, 96, 48]]], np.float32),
                "scores": np.array([[0.9]], np.float32),
            },
            {"more": {"orig_target_sizes": (1, 2)}},
        ),
        "ssd heads": ({"scores": heads, "boxes": _rows(7, np.array([0.25, 0.25, 0.75, 0.75], np.float32))}, {}),
        "ssd of torchvision": (
            {"boxes": corners, "labels": np.array([annotated]), "scores": np.array([0.9], np.float32)},
            {},
        ),
        "ssd of TensorFlow": (
            {
                "detection_boxes": np.array([[[0.25, 0.25, 0.75, 0.75]]], np.float32),
                "detection_classes": np.array([[annotated]], np.float32),
                "detection_scores": np.array([[0.9]], np.float32),
                "num_detections": np.array([1], np.float32),
            },
            {"shape": (1, 128, 128, 3), "kind": TensorProto.UINT8},
        ),
    }
