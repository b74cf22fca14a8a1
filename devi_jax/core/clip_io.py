"""Clip files: versioned `.npz`, keyed by names, read without pickle, written whole or not at all.

One JSON string `header` holds schema, fps, joint names, scene and provenance; every other key is a numeric array.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.camera import Camera
from devi_jax.core.clip import CONVERT, Clip, ObjectPoses, ObjectTracks, validate
from devi_jax.core.errors import ClipError
from devi_jax.core.scene import Mesh, SceneSpec, scene_from_json, scene_to_json
from devi_jax.core.skeleton import JOINTS

SCHEMA = 1
"""Version of the file format; readers refuse any other."""

REQUIRED = ("joint_rotations", "joint_positions", "contact")


def save_clip(clip: Clip, path: str | Path) -> Path:
    """Validate and write a clip; the file appears only when it is complete."""
    path = Path(path)
    validate(clip, str(path))
    header: dict[str, Any] = {
        "schema": SCHEMA,
        "name": clip.name,
        "fps": clip.fps,
        "joints": list(JOINTS),
        "scene": scene_to_json(clip.scene),
        "provenance": clip.provenance,
    }
    arrays: dict[str, np.ndarray] = {
        "joint_rotations": clip.joint_rotations.astype(np.float32),
        "joint_positions": clip.joint_positions.astype(np.float32),
        "contact": clip.contact.astype(np.float32),
    }
    if clip.object_start is not None:
        arrays["object_start"] = clip.object_start
    if clip.object_poses is not None:
        arrays["object_positions"] = clip.object_poses.positions.astype(np.float32)
        arrays["object_rotations"] = clip.object_poses.rotations.astype(np.float32)
    if clip.object_tracks is not None:
        arrays["object_points_px"] = clip.object_tracks.points_px.astype(np.float32)
        arrays["object_points_visible"] = clip.object_tracks.visible.astype(bool)
        arrays["object_points_object"] = clip.object_tracks.points_object.astype(np.float32)
        arrays["object_vertex_ids"] = clip.object_tracks.vertex_ids.astype(np.int32)
    if clip.camera is not None:
        header["camera_size"] = [int(clip.camera.width), int(clip.camera.height)]
        arrays["camera_K"] = clip.camera.K
        arrays["camera_T_camera_world"] = clip.camera.T_camera_world
    things = [] if clip.scene.object is None else [("object", clip.scene.object)]
    for key, thing in things + [(f"prop{i}", prop.object) for i, prop in enumerate(clip.scene.props)]:
        if thing.mesh is not None:
            arrays[f"{key}_mesh_vertices"] = thing.mesh.vertices.astype(np.float32)
            arrays[f"{key}_mesh_faces"] = thing.mesh.faces.astype(np.int32)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def load_clip(path: str | Path) -> Clip:
    """Read and validate a clip file. Raises `ClipError` naming file, field, what would be valid and what fixes it."""
    path = Path(path)
    arrays = _read_arrays(path)
    header = _read_header(arrays, path)
    missing = [k for k in REQUIRED if k not in arrays]
    if missing:
        raise ClipError(
            f"clip lacks {', '.join(missing)}", where=str(path), valid=f"arrays {', '.join(REQUIRED)}", fix=CONVERT
        )
    order = _joint_order(header.get("joints"), path)
    for key in ("joint_rotations", "joint_positions"):
        if arrays[key].ndim != 3 or arrays[key].shape[1] != len(order):
            raise ClipError(
                f"array has shape {arrays[key].shape}",
                where=f"{path}: {key}",
                valid=f"(T, {len(order)}, {4 if key.endswith('rotations') else 3})",
                fix=CONVERT,
            )
        arrays[key] = arrays[key][:, order].astype(np.float64)
    clip = Clip(
        name=str(header.get("name", path.stem)),
        fps=_number(header, "fps", path),
        joint_rotations=arrays["joint_rotations"],
        joint_positions=arrays["joint_positions"],
        contact=arrays["contact"].astype(np.float64),
        scene=_read_scene(arrays, header, path),
        camera=_read_camera(arrays, header, path),
        object_start=arrays.get("object_start"),
        object_poses=_read_poses(arrays, path),
        object_tracks=_read_tracks(arrays, path),
        provenance=_provenance(header, path),
    )
    validate(clip, str(path))
    return clip


def _read_scene(arrays: dict[str, np.ndarray], header: dict[str, Any], path: Path) -> SceneSpec:
    def mesh(key: str) -> Mesh | None:
        vertices, faces = arrays.get(f"{key}_mesh_vertices"), arrays.get(f"{key}_mesh_faces")
        return None if vertices is None or faces is None else Mesh(vertices.astype(np.float64), faces)

    scene = header.get("scene") or {}
    props = scene.get("props") if isinstance(scene, dict) else None
    meshes = [mesh(f"prop{i}") for i in range(len(props) if isinstance(props, list) else 0)]
    return scene_from_json(scene, mesh("object"), f"{path}: scene", meshes)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise ClipError(
            f"no such clip: {path}",
            where="--clip",
            valid="a bundled name, a clip .npz, or an InterMimic, ParaHome or PhysHOI .pt",
            fix="python -m devi_jax.clips list",
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except Exception as error:  # zip, zlib and NumPy raise many kinds for a damaged file
        pickled = isinstance(error, ValueError) and "pickle" in str(error).lower()
        raise ClipError(
            "the file holds pickled objects, which are never read: they can run code"
            if pickled
            else f"not a readable clip file ({type(error).__name__}: {error})",
            where=str(path),
            valid=f"an .npz of schema {SCHEMA}: numeric arrays and one JSON string",
            fix=CONVERT,
        ) from error
    for key, value in arrays.items():
        if key != "header" and value.dtype.kind not in "fiub":
            raise ClipError(f"array is of type {value.dtype}", where=f"{path}: {key}", valid="numbers", fix=CONVERT)
    return arrays


def _read_header(arrays: dict[str, np.ndarray], path: Path) -> dict[str, Any]:
    try:
        header = json.loads(str(arrays.pop("header")[()]))
        schema = header["schema"]
    except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
        raise ClipError(
            "the file has no readable header: it is not a clip",
            where=f"{path}: header",
            valid=f"a JSON string with schema {SCHEMA}",
            fix=CONVERT,
        ) from error
    if schema != SCHEMA:
        raise ClipError(
            f"clip has schema {schema}",
            where=f"{path}: header.schema",
            valid=f"{SCHEMA}",
            fix=CONVERT,
        )
    return header


def _joint_order(names: Any, path: Path) -> list[int]:
    given = [str(n) for n in names] if isinstance(names, list) else []
    if sorted(given) != sorted(JOINTS):
        unknown = [n for n in given if n not in JOINTS]
        absent = [n for n in JOINTS if n not in given]
        raise ClipError(
            f"joint names do not match: unknown {unknown[:5]}, absent {absent[:5]}",
            where=f"{path}: header.joints",
            valid=f"the 52 SMPL-X body and hand joints ({JOINTS[0]}, {JOINTS[1]}, ...), in any order",
            fix=CONVERT,
        )
    return [given.index(n) for n in JOINTS]


def _number(header: dict[str, Any], key: str, path: Path) -> float:
    try:
        return float(header[key])
    except (KeyError, TypeError, ValueError) as error:
        raise ClipError(
            f"{key} is {header.get(key)!r}", where=f"{path}: header.{key}", valid="a number", fix=CONVERT
        ) from error


def _provenance(header: dict[str, Any], path: Path) -> dict[str, Any]:
    value = header.get("provenance") or {}
    if not isinstance(value, dict):
        raise ClipError(
            f"provenance is {value!r}", where=f"{path}: header.provenance", valid="a JSON object", fix=CONVERT
        )
    return value


def _read_camera(arrays: dict[str, np.ndarray], header: dict[str, Any], path: Path) -> Camera | None:
    if "camera_K" not in arrays:
        return None
    size: Any = header.get("camera_size")
    sized = isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) for n in size)
    if "camera_T_camera_world" not in arrays or not sized:
        raise ClipError(
            "the camera is incomplete",
            where=f"{path}: camera",
            valid="camera_K (3, 3), camera_T_camera_world (4, 4), header.camera_size [w, h] in whole pixels",
            fix=CONVERT,
        )
    return Camera(arrays["camera_K"], arrays["camera_T_camera_world"], size[0], size[1])


def _read_poses(arrays: dict[str, np.ndarray], path: Path) -> ObjectPoses | None:
    if "object_positions" not in arrays and "object_rotations" not in arrays:
        return None
    if "object_positions" not in arrays or "object_rotations" not in arrays:
        raise ClipError(
            "object poses are incomplete", where=str(path), valid="object_positions and object_rotations", fix=CONVERT
        )
    return ObjectPoses(arrays["object_positions"].astype(np.float64), arrays["object_rotations"].astype(np.float64))


def _read_tracks(arrays: dict[str, np.ndarray], path: Path) -> ObjectTracks | None:
    keys = ("object_points_px", "object_points_visible", "object_points_object", "object_vertex_ids")
    present = [k for k in keys if k in arrays]
    if not present:
        return None
    if len(present) < len(keys):
        raise ClipError("object tracks are incomplete", where=str(path), valid=", ".join(keys), fix=CONVERT)
    return ObjectTracks(*(arrays[k] for k in keys))
