"""The list of what the catalogue makes."""

from collections.abc import Callable

from envs.scenes.catalogue.drinks import bottle, can, cup, mug, wine_glass
from envs.scenes.catalogue.household import book, box, camera, carton, large_box, parcel, phone, tray
from envs.scenes.catalogue.kitchen import bowl, kettle, pan, plate
from envs.scenes.catalogue.round_things import apple, ball, banana, hat
from envs.scenes.catalogue.tools import flashlight, hammer, knife, mallet, spray_bottle, toothbrush
from envs.scenes.objects.textured_model import Model

CATALOGUE: dict[str, Callable[[], Model]] = {
    make.__name__: make
    for make in (
        *(apple, ball, banana, book, bottle, bowl, box, camera, can, carton, cup, flashlight, hammer, hat),
        *(kettle, knife, large_box, mallet, mug, pan, parcel, phone, plate, spray_bottle, toothbrush, tray),
        wine_glass,
    )
}
"""What makes each model, by name."""
