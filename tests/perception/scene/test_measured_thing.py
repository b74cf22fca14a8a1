"""The camera's tilt by what the film's edges tell and by the thing's outline."""

import numpy as np
import pytest
import trimesh

from perception.contracts.checks import EstimateError
from perception.scene.measured_thing import Said, _by_edges_or_outline
from perception.scene.square_edges import SquareCamera
from tests.perception.scene.test_standing_thing import CYLINDER, K, seen

PITCH_DEG = 30.0
BALL = trimesh.creation.icosphere(subdivisions=2, radius=0.04)


def edges(pitch_deg: float) -> SquareCamera:
    return SquareCamera(K[0, 0], pitch_deg, 0.0, 10.0, 1.0, 1.0, 1.0)


def tilt(said: Said, mesh: trimesh.Trimesh = CYLINDER) -> tuple[float, str]:
    mask = seen(mesh, PITCH_DEG, (1.0, 1.0))
    standing, how = _by_edges_or_outline(mask, np.asarray(mesh.vertices), np.asarray(mesh.faces), K, said)
    return standing.pitch_deg, how


def test_edges_count_for_more_than_the_outline_that_agrees():
    assert tilt(Said()) == (pytest.approx(PITCH_DEG, abs=4), "by the thing's outline")
    pitch, how = tilt(Said(square=edges(36.0)))
    assert pitch == 36.0 and how.startswith("by upright edges; ")


def test_edges_that_the_outline_contradicts_are_not_upright_and_tell_no_focal_length():
    pitch, how = tilt(Said(square=edges(60.0)))
    assert pitch == pytest.approx(PITCH_DEG, abs=4) and "looks down by 60 degrees" in how
    with pytest.raises(EstimateError, match="by 60 degrees, the thing's outline") as refused:
        tilt(Said(square=edges(60.0), focal_by_edges=True))
    assert "--fov-deg" in str(refused.value)


def test_where_the_outline_tells_nothing_edges_do_unless_they_may_be_level():
    assert tilt(Said(square=edges(28.0)), BALL) == (28.0, "by upright edges alone")
    for said in (Said(), Said(square=edges(4.0))):
        with pytest.raises(EstimateError, match="does not tell how far"):
            tilt(said, BALL)
