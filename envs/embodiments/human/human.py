"""Where bodies come from: the bundled open human, a user's own SMPL-X file, a clip's own bone lengths."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from devi_jax.core.skeleton import INDEX, JOINTS, SMPLX_JOINTS, TIPS
from envs.embodiments.human import measure
from envs.embodiments.human.body import Body, BodyError, load_body

_DATA = Path(__file__).parent / "human.npz"
_BETAS = 10


def human() -> Body:
    """The bundled human: MakeHuman's average young man (CC0), 1.75 m, in SMPL-X's topology."""
    return load_body(_DATA)


def smplx_body(path: str | Path, betas: np.ndarray | None = None) -> Body:
    """The body of a user's own SMPL-X model file, which is never unpickled.

    Joints are `J_regressor @ (v_template + shapedirs[..., :10] @ betas)` (Pavlakos et al. 2019); radii, fingertips and
    soles are measured on that mesh.

    Args:
        path: `SMPLX_{NEUTRAL,MALE,FEMALE}.npz` of smpl-x.is.tue.mpg.de.
        betas: (n,) up to 10 shape coefficients; none for the template.

    Raises:
        BodyError: the file is not a SMPL-X model, or betas have another shape.
    """
    template, shapedirs, regressor, weights = _read_smplx(Path(path))
    betas = np.zeros(0) if betas is None else np.asarray(betas, dtype=float)
    if betas.ndim != 1 or len(betas) > _BETAS or not np.isfinite(betas).all():
        raise BodyError(f"betas have shape {betas.shape}", where="betas", valid=f"(n,), finite, n <= {_BETAS}")
    skin = measure.from_smplx_axes(template + shapedirs[..., : len(betas)] @ betas)
    rows = [SMPLX_JOINTS.index(name) for name in JOINTS]
    owner = _owners(weights, rows)
    bare = set(range(len(JOINTS))) - set(owner.tolist())
    if bare:
        raise BodyError(
            f"no vertex follows joint {JOINTS[min(bare)]}",
            where=f"{path}: weights",
            valid="every body and hand joint moves some skin",
        )
    return measure.measure_body(skin, (regressor @ skin)[rows], owner, Path(path).stem)


def with_offsets(body: Body, offsets: np.ndarray, ball_m: float | None = None) -> Body:
    """The body with a clip's own bone offsets (52, 3): radii stay, fingertips scale with their middle phalanges.

    Args:
        offsets: metres, of a T-pose facing +y; `core.clip.bone_offsets`.
        ball_m: height of the balls of the feet (the foot joints) above the sole; as in `body` by default. Skeletons
            differ by a centimetre here, and one that is wrong makes a standing reference float or sink.

    Raises:
        BodyError: the offsets are not those of a T-pose facing +y.
    """
    offsets = np.asarray(offsets, dtype=float)
    moved = replace(body, offsets=offsets)
    ball_m = body.sole_m - _ball_drop(body) if ball_m is None else ball_m
    distal = list(TIPS)
    growth = np.linalg.norm(offsets[distal], axis=1) / np.linalg.norm(body.offsets[distal], axis=1)
    return replace(moved, tips=body.tips * growth[:, None], sole_m=_ball_drop(moved) + ball_m)


def _ball_drop(body: Body) -> float:
    """Mean height of the ankles above the balls of the feet, metres."""
    return -float(body.offsets[[INDEX["left_foot"], INDEX["right_foot"]], 2].mean())


def _read_smplx(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    keys = ("v_template", "shapedirs", "J_regressor", "weights")
    valid = "an SMPL-X model .npz with arrays " + ", ".join(keys)
    fix = "download SMPLX_NEUTRAL.npz from smpl-x.is.tue.mpg.de, or use the bundled human"
    try:
        # keys are read one by one: official files hold object arrays under others, which would need unpickling
        with np.load(path, allow_pickle=False) as file:
            template, shapedirs, regressor, weights = (np.asarray(file[key], dtype=float) for key in keys)
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise BodyError(f"cannot read an SMPL-X model ({error})", where=str(path), valid=valid, fix=fix) from error
    v, j = len(template), len(SMPLX_JOINTS)
    wanted = {"v_template": (v, 3), "J_regressor": (j, v), "weights": (v, j)}
    found = {"v_template": template.shape, "J_regressor": regressor.shape, "weights": weights.shape}
    wrong = [key for key, shape in wanted.items() if found[key] != shape]
    if wrong or shapedirs.shape[:2] != (v, 3) or shapedirs.ndim != 3 or shapedirs.shape[2] < _BETAS:
        key = wrong[0] if wrong else "shapedirs"
        shape = wanted.get(key, (v, 3, f">= {_BETAS}"))
        raise BodyError(
            f"array has shape {found.get(key, shapedirs.shape)}",
            where=f"{path}: {key}",
            valid=f"shape {shape}",
            fix=fix,
        )
    return template, shapedirs, regressor, weights


def _owners(weights: np.ndarray, rows: list[int]) -> np.ndarray:
    """Joint of `JOINTS` that each vertex follows most, (V,); jaw and eyes belong to the head."""
    ours = weights[:, rows].copy()
    ours[:, INDEX["head"]] += weights.sum(axis=1) - ours.sum(axis=1)
    return ours.argmax(axis=1)
