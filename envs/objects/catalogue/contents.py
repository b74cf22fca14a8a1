"""The list of what the catalogue makes."""

from collections.abc import Callable

from envs.objects.catalogue.drinks import bottle, can, cup, mug, wine_glass
from envs.objects.catalogue.goods import book, box, camera, carton, large_box, parcel, phone, tray
from envs.objects.catalogue.kitchen import bowl, kettle, pan, plate
from envs.objects.catalogue.round import apple, ball, banana, hat
from envs.objects.catalogue.tools import flashlight, hammer, knife, mallet, spray_bottle, toothbrush
from envs.objects.textured import Model

CATALOGUE: dict[str, Callable[[], Model]] = {
    make.__name__: make
    for make in (
        *(apple, ball, banana, book, bottle, bowl, box, camera, can, carton, cup, flashlight, hammer, hat),
        *(kettle, knife, large_box, mallet, mug, pan, parcel, phone, plate, spray_bottle, toothbrush, tray),
        wine_glass,
    )
}
"""What makes each model, by name."""
