"""Lengths and masses beyond a person's are refused, with the unit that would explain them."""

import numpy as np
import pytest

from devi_jax.core.errors import SceneError
from devi_jax.core.plausible import check_handled, longest_side_m
from devi_jax.core.scene import Mesh, ObjectSpec

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)


def mesh(longest: float, mass: float = 1.0) -> ObjectSpec:
    return ObjectSpec("mesh", (), mass, mesh=Mesh(CORNERS * [longest, longest / 2, longest / 4], np.zeros((1, 3), int)))


def test_the_longest_side_is_that_of_the_box_around():
    sides = [
        ObjectSpec("box", (0.1, 0.3, 0.2)),
        ObjectSpec("sphere", (0.11,)),
        ObjectSpec("can", (0.04, 0.05)),
        mesh(0.4),
    ]
    assert [longest_side_m(spec) for spec in sides] == pytest.approx([0.3, 0.22, 0.08, 0.4])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            mesh(471.0, 10.0),
            r"471 m long and weighs 10 kg: too long.*\n.*\n.*\n.*scale by 0\.001 if it is in millimetres",
        ),
        (mesh(25.0), r"scale by 0\.001 if it is in millimetres"),
        (mesh(8000.0), r"scale by 2\.5e-05"),
        (ObjectSpec("can", (0.0015, 0.006)), "6 mm long .* too small for a hand"),
        (ObjectSpec(mass_kg=60.0), "weighs 60 kg: heavier than a person lifts"),
        (mesh(1.7, 1000.0), r"1\.7 m long and weighs 1e\+03 kg.*\n.*\n.*\n.*scale by 0\.12"),
    ],
)
def test_what_nobody_handles_is_refused_with_its_numbers(spec, said):
    with pytest.raises(SceneError, match=said):
        check_handled(spec, "thing")


def test_things_of_a_household_pass():
    for spec in (ObjectSpec(), mesh(0.025, 0.01), mesh(2.5, 45.0), ObjectSpec("box", (0.6, 0.4, 0.4), 20.0)):
        check_handled(spec, "thing")
