"""A scanned person as THuman2.0 keeps one, made from the bundled body, and a file in SMPL-X's format that fits it."""

import pickle
from pathlib import Path

import numpy as np
from PIL import Image

from devi_jax.core.skeleton import JOINTS, SMPLX_JOINTS
from envs.embodiments.human.skin import PARTS, Skin, bundled_skin, keep
from envs.scenes.appearance.registration import read_registration

COLOUR = (220, 20, 30)
"""Of the whole texture."""


def smplx_axes(points: np.ndarray) -> np.ndarray:
    """Inverse of `from_smplx_axes`."""
    return np.stack([-points[..., 0], points[..., 2], points[..., 1]], axis=-1)


def write_scan(folder: Path, model: Path) -> Skin:
    """Write the folder and the model; returns the body in the T-pose, which the scan has to become again."""
    skin = bundled_skin()
    body = keep(skin, skin.part == PARTS.index("body"))
    write_model(model, body)
    folder.mkdir()
    rng = np.random.default_rng(3)
    given = {
        "betas": np.zeros((1, 10), np.float32),
        "global_orient": np.array([[0.1, 0.4, 0.0]], np.float32),
        "body_pose": rng.normal(scale=0.1, size=(1, 63)).astype(np.float32),
        "left_hand_pose": np.full((1, 45), 0.1, np.float32),
        "right_hand_pose": np.full((1, 45), 0.1, np.float32),
        "transl": np.array([[0.1, 0.2, 0.3]], np.float32),
        "scale": np.array([1.2], np.float32),
    }
    with (folder / "smplx_param.pkl").open("wb") as file:
        pickle.dump(given, file)
    posed = read_registration(folder / "smplx_param.pkl", model).vertices[: len(body.vertices)]
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in posed] + ["vt 0.5 0.5"]
    lines += [" ".join(["f", *(f"{i + 1}/1" for i in face)]) for face in body.triangles]
    (folder / "0000.obj").write_text("\n".join(lines))
    Image.new("RGB", (8, 4), COLOUR).save(folder / "material0.jpeg", quality=95)
    return body


def write_model(path: Path, body: Skin) -> None:
    """SMPL-X's arrays: the body's vertices, and one at each joint from which joints are read."""
    rows = [SMPLX_JOINTS.index(name) for name in JOINTS]
    joints = np.tile(smplx_axes(body.joints[JOINTS.index("head")]), (len(SMPLX_JOINTS), 1))
    joints[rows] = smplx_axes(body.joints)
    weights = np.zeros((len(body.vertices), len(SMPLX_JOINTS)))
    weights[:, rows] = body.weights
    vertices = np.concatenate([smplx_axes(body.vertices), joints])
    np.savez(
        path,
        v_template=vertices,
        shapedirs=np.zeros((len(vertices), 3, 10)),
        posedirs=np.zeros((len(vertices), 3, 9 * (len(SMPLX_JOINTS) - 1)), np.float32),
        J_regressor=np.eye(len(SMPLX_JOINTS), len(vertices), len(body.vertices)),
        weights=np.concatenate([weights, np.eye(len(SMPLX_JOINTS))]),
    )
