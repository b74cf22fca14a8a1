"""DeVI A.2: a mesh posed like its registration comes back to the T-pose, and moves like the body that it was."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from devi_jax.core.errors import ClipError, SceneError
from devi_jax.core.skeleton import JOINTS, PARENTS, SMPLX_JOINTS, joint_class
from envs.embodiments.human.measure import from_smplx_axes
from envs.embodiments.human.skin import PARTS, Skin, bundled_skin, keep, posed
from envs.scenes.appearance.registration import Registration, read_registration
from envs.scenes.appearance.scan import load_scan, read_scan_folder, scanned_skin
from envs.scenes.appearance.transfer import gaussian_blend
from tests.envs.scenes.scan_folder import smplx_axes, write_scan

MEAN_ERROR_M = 0.0015
"""Of skinning by weights that come from the 16 nearest vertices of a mesh with 6 mm edges."""


def posture(seed: int, radians: float) -> tuple[np.ndarray, np.ndarray]:
    """Random joint rotations (52, 3, 3), global, and positions (52, 3) of the bundled skin in SMPL-X's axes."""
    rng = np.random.default_rng(seed)
    size = [radians * (0.3 if joint_class(name) == "spine" else 1.0) for name in JOINTS]
    local = Rotation.from_rotvec(rng.uniform(-1, 1, (52, 3)) * np.array(size)[:, None]).as_matrix()
    rest = smplx_axes(bundled_skin().joints)
    rotations, positions = local.copy(), rest + [0.1, 0.2, 0.3]
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            rotations[i] = rotations[parent] @ local[i]
            positions[i] = positions[parent] + rotations[parent] @ (rest[i] - rest[parent])
    return rotations, positions


@pytest.fixture(scope="module")
def body() -> Skin:
    """The bundled body alone, in SMPL-X's axes."""
    skin = bundled_skin()
    body = keep(skin, skin.part == PARTS.index("body"))
    return Skin(
        smplx_axes(body.vertices), smplx_axes(body.joints), body.weights, *(getattr(body, k) for k in FIELDS[3:])
    )


FIELDS = ("vertices", "joints", "weights", "corner_vertex", "corner_uv", "faces", "part", "masks")


def registration(body: Skin, seed: int, offsets: np.ndarray | None = None) -> Registration:
    """The bundled body as what was fitted to a scan, in a random posture, with pose offsets (M, 3)."""
    rotations, positions = posture(seed, 0.35)
    offsets = np.zeros_like(body.vertices) if offsets is None else offsets
    moved = Skin(body.vertices + offsets, *(getattr(body, k) for k in FIELDS[1:]))
    return Registration(posed(moved, rotations, positions), body.weights, offsets, body.joints, rotations, positions)


def test_blend_is_the_papers_softmax():
    rng = np.random.default_rng(0)
    points, vertices = rng.normal(size=(7, 3)), rng.normal(size=(50, 3))
    blend = gaussian_blend(points, vertices, sigma_m=0.4).toarray()
    for i, x in enumerate(points):
        distance = np.linalg.norm(vertices - x, axis=1)
        nearest = np.argsort(distance)[:16]
        expected = np.exp(-(distance[nearest] ** 2) / (2 * 0.4**2))
        np.testing.assert_allclose(blend[i, nearest], expected / expected.sum(), atol=1e-12)
        assert np.count_nonzero(blend[i]) == 16
    np.testing.assert_allclose(gaussian_blend(points, vertices).sum(axis=1), 1.0)


def test_a_coarser_mesh_comes_back_to_the_tpose_and_moves_like_the_body(body):
    # the middles of every third triangle: a decimated mesh, none of whose vertices the registration has
    chosen = body.triangles[::3]
    rest = body.vertices[chosen].mean(axis=1)
    reg = registration(body, seed=1)
    scan = reg.vertices[chosen].mean(axis=1)
    faces = np.arange(len(scan) // 3 * 3).reshape(-1, 3)
    skin = scanned_skin(scan, faces, np.zeros((len(scan), 2)), reg)
    error = np.linalg.norm(skin.vertices - from_smplx_axes(rest - body.joints[0]), axis=1)
    assert error.mean() < MEAN_ERROR_M and np.percentile(error, 99) < 8 * MEAN_ERROR_M
    np.testing.assert_allclose(skin.joints, from_smplx_axes(body.joints - body.joints[0]), atol=1e-12)
    # in another pose: against the body's own skinning
    bundled = bundled_skin()
    turns, places = posture(2, 0.35)
    swap = from_smplx_axes(np.eye(3)).T
    turns, places = swap @ turns @ swap.T, from_smplx_axes(places)
    own = keep(bundled, bundled.part == PARTS.index("body"))
    moved = posed(own, turns, places)[chosen].mean(axis=1)
    error = np.linalg.norm(posed(skin, turns, places) - moved, axis=1)
    assert error.mean() < 2 * MEAN_ERROR_M
    # and it is the posture that is matched: left in the scan's, it would be decimetres off
    assert np.linalg.norm(from_smplx_axes(scan) - moved, axis=1).mean() > 0.1


def test_pose_offsets_are_taken_out(body):
    waves = 0.01 * np.sin(20 * body.vertices)
    reg = registration(body, seed=3, offsets=waves)
    skin = scanned_skin(reg.vertices, body.triangles, np.zeros((len(waves), 2)), reg)
    error = np.linalg.norm(skin.vertices - from_smplx_axes(body.vertices - body.joints[0]), axis=1)
    assert error.mean() < MEAN_ERROR_M < np.linalg.norm(waves, axis=1).mean() / 4


def test_a_mesh_away_from_its_registration_is_refused(body):
    reg = registration(body, seed=4)
    with pytest.raises(SceneError, match="from the SMPL-X mesh that should fit it"):
        scanned_skin(reg.vertices + [0, 1.0, 0], body.triangles, np.zeros((len(reg.vertices), 2)), reg)


def synthetic_model(path: Path) -> dict[str, np.ndarray]:
    """A file in SMPL-X's format with a vertex at each joint and one beyond it."""
    rng = np.random.default_rng(5)
    rows = [SMPLX_JOINTS.index(name) for name in JOINTS]
    joints = np.zeros((55, 3))
    joints[rows] = smplx_axes(bundled_skin().joints)
    joints[[22, 23, 24]] = joints[15] + 0.01
    model = {
        "v_template": np.concatenate([joints, joints + 0.02]),
        "shapedirs": np.zeros((110, 3, 400)),
        "posedirs": rng.normal(scale=1e-3, size=(110, 3, 486)),
        "J_regressor": np.eye(55, 110),
        "weights": np.tile(np.eye(55), (2, 1)),
        "hands_componentsl": np.eye(45),
        "hands_componentsr": np.eye(45),
        "hands_meanl": np.full(45, 0.1),
        "hands_meanr": np.full(45, -0.1),
    }
    np.savez(path, **model)  # type: ignore[arg-type]
    return model


def parameters(path: Path, **changed: np.ndarray) -> dict[str, np.ndarray]:
    """SMPL-X's parameters of a random pose, as data sets have them."""
    rng = np.random.default_rng(6)
    given = {
        "betas": rng.normal(size=(1, 10)),
        "global_orient": rng.normal(scale=0.3, size=(1, 3)),
        "body_pose": rng.normal(scale=0.3, size=(1, 63)),
        "left_hand_pose": rng.normal(scale=0.3, size=(1, 12)),
        "right_hand_pose": rng.normal(scale=0.3, size=(1, 45)),
        "transl": np.array([[0.1, 0.2, 0.3]]),
        "scale": np.array([1.1]),
    } | changed
    np.savez(path, **given)  # type: ignore[arg-type]
    return given


def test_registration_follows_from_parameters(tmp_path):
    model, given = synthetic_model(tmp_path / "SMPLX.npz"), parameters(tmp_path / "0000.npz")
    reg = read_registration(tmp_path / "0000.npz", tmp_path / "SMPLX.npz")
    left = 0.1 + np.concatenate([given["left_hand_pose"][0], np.zeros(33)])
    poses = np.concatenate([given["global_orient"][0], given["body_pose"][0], left, given["right_hand_pose"][0]])
    local = Rotation.from_rotvec(poses.reshape(52, 3)).as_matrix()
    # the left wrist, walked by hand from the pelvis
    chain = [JOINTS.index(n) for n in ("pelvis", "spine1", "spine2", "spine3")]
    chain += [JOINTS.index(f"left_{n}") for n in ("collar", "shoulder", "elbow", "wrist")]
    rest, turn = reg.joints, np.eye(3)
    place = rest[0].copy()
    for i, parent in zip(chain[1:], chain, strict=False):
        turn = turn @ local[parent]
        place = place + turn @ (rest[i] - rest[parent])
    wrist = JOINTS.index("left_wrist")
    np.testing.assert_allclose(reg.positions[wrist], 1.1 * (place + [0.1, 0.2, 0.3]), atol=1e-9)
    np.testing.assert_allclose(reg.rotations[wrist], 1.1 * turn @ local[wrist], atol=1e-9)
    # the vertex at the joint: skinned after its pose offset
    full = np.tile(np.eye(3), (55, 1, 1))
    full[[SMPLX_JOINTS.index(n) for n in JOINTS]] = local
    v = SMPLX_JOINTS.index("left_wrist")
    offset = model["posedirs"][v] @ (full[1:] - np.eye(3)).ravel()
    np.testing.assert_allclose(reg.vertices[v], reg.positions[wrist] + reg.rotations[wrist] @ offset, atol=1e-9)
    assert reg.weights.sum(axis=1) == pytest.approx(1.0)


def test_files_that_do_not_fit_are_refused(tmp_path):
    synthetic_model(tmp_path / "SMPLX.npz")
    parameters(tmp_path / "short.npz", body_pose=np.zeros(60))
    parameters(tmp_path / "good.npz")
    np.savez(tmp_path / "pickled.npz", betas=np.array([{}], dtype=object))
    for name, word in (("short", "do not fit"), ("pickled", "cannot read"), ("absent", "cannot read")):
        with pytest.raises(SceneError, match=word) as caught:
            read_registration(tmp_path / f"{name}.npz", tmp_path / "SMPLX.npz")
        assert name in caught.value.where
    (tmp_path / "fit.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(SceneError, match="3 vertices"):
        read_registration(tmp_path / "good.npz", tmp_path / "SMPLX.npz", tmp_path / "fit.obj")


def test_a_folder_like_thumans_is_read(tmp_path, body):
    reg = registration(body, seed=7)
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in reg.vertices[:3000]]
    faces = body.triangles[(body.triangles < 3000).all(axis=1)]
    lines += ["vt 0.25 0.75"] * 3000 + [" ".join(["f", *(f"{i + 1}/{i + 1}" for i in face)]) for face in faces]
    (tmp_path / "0000.obj").write_text("\n".join(lines))
    with pytest.raises(SceneError, match="cannot read"):
        load_scan(tmp_path / "0000.obj", reg)
    Image.new("RGB", (8, 4), (200, 10, 10)).save(tmp_path / "material0.jpeg", quality=95)
    scan = load_scan(tmp_path / "0000.obj", reg)
    assert scan.texture.shape == (4, 8, 3) and scan.texture[0, 0, 0] > 180
    assert len(scan.skin.faces) == len(faces)
    used = np.unique(scan.skin.faces)
    np.testing.assert_allclose(scan.skin.corner_uv[used], [[0.25, 0.75]] * len(used))
    assert np.ptp(scan.skin.vertices[used, 2]) > 0.1


def test_a_folder_with_everything_becomes_the_t_pose_again(tmp_path):
    body = write_scan(tmp_path / "0000", tmp_path / "SMPLX.npz")
    scan = read_scan_folder(tmp_path / "0000", tmp_path / "SMPLX.npz")
    rest = body.vertices - body.joints[JOINTS.index("pelvis")]
    gap = np.linalg.norm(scan.skin.vertices - rest, axis=1)
    assert gap.mean() < MEAN_ERROR_M and scan.texture.shape == (4, 8, 3)
    for name, said in (("second.obj", "2 meshes and 1 files"), ("second.npz", "1 meshes and 2 files")):
        (tmp_path / "0000" / name).write_text("")
        with pytest.raises(SceneError, match=said):
            read_scan_folder(tmp_path / "0000", tmp_path / "SMPLX.npz")
        (tmp_path / "0000" / name).unlink()
    (tmp_path / "0000" / "smplx_param.pkl").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(ClipError):
        read_scan_folder(tmp_path / "0000", tmp_path / "SMPLX.npz")
