"""Paints what makes a face: brows, lips, lids, cheeks, a beard's shadow, and the eyes."""

import numpy as np

from envs.embodiments.human.skin import PARTS
from envs.scenes.appearance.appearance import Appearance
from envs.scenes.appearance.garments import Landmarks
from envs.scenes.appearance.surface import Surface, mix


def paint_face(colours: np.ndarray, surface: Surface, marks: Landmarks, person: Appearance) -> np.ndarray:
    """Colours (P, 3) of the body with a face painted on."""
    skin, hair = np.asarray(person.skin), np.asarray(person.hair.colour)
    x, y, z = (surface.point - marks.eye).T
    x = np.abs(surface.point[:, 0])
    front = (y > -0.03) & (z > -0.14)
    cheek = np.exp(-(((x - 0.045) / 0.022) ** 2) - ((z + 0.035) / 0.022) ** 2) * front
    nose = np.exp(-((x / 0.016) ** 2) - ((z + 0.035) / 0.018) ** 2) * front
    colours = mix(colours, skin * [1.05, 0.80, 0.76], 0.35 * np.maximum(cheek, 0.7 * nose))
    if person.hair.beard:
        jaw = front & (y > -0.075) & (z < -0.035)
        upper = np.clip((-0.036 - z - 0.25 * np.maximum(0.05 - x, 0)) / 0.02, 0, 1) * np.clip((z + 0.15) / 0.03, 0, 1)
        grain = 0.75 + 0.25 * surface.noise(0.003, 21)
        colours = mix(colours, hair, person.hair.beard * jaw * upper * grain)
    lips = skin * [0.92, 0.62, 0.60]
    colours = mix(colours, lips, 0.85 * surface.masks["lips"])
    seam = front * surface.line(z + 0.0725, 0.002) * (surface.masks["lips"] > 0.3)
    colours = mix(colours, lips * 0.5, 0.7 * seam)
    colours = mix(colours, skin * [0.80, 0.68, 0.66], 0.45 * surface.masks["eyelids"])
    arch = 0.0205 + 0.006 * np.sin(np.clip((x - 0.012) / 0.045, 0, 1) * np.pi * 0.8)
    thick = 0.0046 * np.clip((x - 0.008) / 0.008, 0, 1) * np.clip((0.056 - x) / 0.02, 0, 1)
    brow = surface.edge(thick - np.abs(z - arch), 0.003) * front * (thick > 0)
    return mix(colours, hair * 0.9, brow * (0.75 + 0.15 * surface.noise(0.002, 22)))


def paint_eyes(colours: np.ndarray, surface: Surface, marks: Landmarks, person: Appearance) -> np.ndarray:
    """White, iris, pupil and a highlight on the eyeballs; dark lashes."""
    x = np.abs(surface.point[:, 0]) - marks.eye[0]
    z = surface.point[:, 2] - marks.eye[2]
    off = np.hypot(x, z)
    front = surface.point[:, 1] > marks.eye[1]
    white = np.array([0.93, 0.91, 0.89]) * np.ones((len(x), 1))
    eye = mix(white, np.asarray(person.iris), surface.edge(0.0062 - off, 0.0012) * front)
    eye = mix(eye, np.asarray(person.iris) * 0.4, surface.line(off - 0.0060, 0.0012) * front)
    eye = mix(eye, np.array([0.02, 0.02, 0.02]), surface.edge(0.0029 - off, 0.0012) * front)
    eye = mix(eye, np.ones(3), surface.edge(0.0014 - np.hypot(x - 0.002, z - 0.0025), 0.0012) * front)
    colours = np.where((surface.part == PARTS.index("eyes"))[:, None], eye, colours)
    lashes = np.asarray(person.hair.colour) * 0.4
    return np.where((surface.part == PARTS.index("lashes"))[:, None], lashes, colours)
