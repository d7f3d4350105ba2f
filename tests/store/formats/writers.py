"""Minimal writers of the formats kgmm reads: the other half of the round trips."""

from __future__ import annotations

import json
from pathlib import Path

from kgmm.scene import SceneGraph


def visual_genome(scenes: list[SceneGraph]) -> str:
    return json.dumps(
        [
            {
                "image_id": int(s.id),
                "width": s.width,
                "height": s.height,
                "objects": [
                    {
                        "object_id": int(o.id),
                        "names": [o.name, *o.aliases],
                        "attributes": list(o.attributes),
                        "synsets": [],
                        **dict(zip("xywh", o.box or (0, 0, 0, 0), strict=True)),
                    }
                    for o in s.objects
                ],
                "relationships": [
                    {
                        "relationship_id": i,
                        "predicate": r.predicate.upper().replace("_", " "),
                        "subject_id": int(r.subject),
                        "object_id": int(r.object),
                    }
                    for i, r in enumerate(s.relations)
                ],
            }
            for s in scenes
        ]
    )


def visual_genome_relationships(scenes: list[SceneGraph]) -> str:
    def end(scene: SceneGraph, key: str) -> dict[str, object]:
        o = scene[key]
        return {"object_id": int(o.id), "name": o.name, **dict(zip("xywh", o.box or (), strict=False))}

    return json.dumps(
        [
            {
                "image_id": int(s.id),
                "relationships": [
                    {"predicate": r.predicate, "subject": end(s, r.subject), "object": end(s, r.object)}
                    for r in s.relations
                ],
            }
            for s in scenes
        ]
    )


def visual_genome_table(scenes: list[SceneGraph]) -> str:
    rows = ["image_id\trelationship\tsubject\tobject\tsentence"]
    for s in scenes:
        rows += [f"{s.id}\t{r.predicate}\t{s[r.subject].name}\t{s[r.object].name}\t" for r in s.relations]
    return "\n".join(rows) + "\n"


def gqa(scenes: list[SceneGraph]) -> str:
    return json.dumps(
        {
            s.id: {
                "width": s.width,
                "height": s.height,
                **{k: t for k, (t, _) in zip(("location", "weather"), s.tags, strict=False)},
                "objects": {
                    o.id: {
                        "name": o.name,
                        **dict(zip("xywh", o.box or (), strict=False)),
                        "attributes": list(o.attributes),
                        "relations": [
                            {"name": r.predicate, "object": r.object} for r in s.relations if r.subject == o.id
                        ],
                    }
                    for o in s.objects
                },
            }
            for s in scenes
        }
    )


def coco(scenes: list[SceneGraph]) -> str:
    kinds = {name: i for i, name in enumerate(sorted({(o.name, *o.aliases[:1]) for s in scenes for o in s.objects}))}
    return json.dumps(
        {
            "info": {"year": 2017},
            "images": [
                {"id": i, "file_name": f"{s.id}.jpg", "width": s.width, "height": s.height, "coco_url": ""}
                for i, s in enumerate(scenes)
            ],
            "annotations": [
                {
                    "id": int(o.id),
                    "image_id": i,
                    "category_id": kinds[(o.name, *o.aliases[:1])],
                    "bbox": list(o.box or ()),
                    "segmentation": [[0, 0, 1, 1]],
                    "iscrowd": 0,
                }
                for i, s in enumerate(scenes)
                for o in s.objects
            ],
            "categories": [
                {"id": i, "name": name, "supercategory": (kind or [""])[0]} for (name, *kind), i in kinds.items()
            ],
        }
    )


def clevr(scenes: list[SceneGraph]) -> str:
    def scene(index: int, s: SceneGraph) -> dict[str, object]:
        directions = {"left_of": "left", "right_of": "right", "in_front_of": "front", "behind": "behind"}
        found = {d: [[] for _ in s.objects] for d in directions.values()}
        for r in s.relations:
            found[directions[r.predicate]][int(r.object)].append(int(r.subject))
        return {
            "image_index": index,
            "image_filename": f"{s.id}.png",
            "objects": [
                {
                    "shape": o.name,
                    **dict(zip(("size", "color", "material"), o.attributes, strict=True)),
                    "3d_coords": [0, 0, 0],
                }
                for o in s.objects
            ],
            "relationships": found,
        }

    return json.dumps({"info": {"split": "val"}, "scenes": [scene(i, s) for i, s in enumerate(scenes)]})


def own(scenes: list[SceneGraph]) -> str:
    return json.dumps([s.to_dict() for s in scenes])


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
