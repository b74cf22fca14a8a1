"""What a scene looks like: people, clothes, things, surroundings. For drawing only: nothing here moves anything."""

from envs.scenes.appearance.appearance import APPEARANCES, Appearance, appearance
from envs.scenes.appearance.dress import add_skin, dress
from envs.scenes.appearance.object_visuals import clad
from envs.scenes.appearance.registration import Registration, read_registration
from envs.scenes.appearance.room import furnish
from envs.scenes.appearance.scan import Scan, load_scan, read_scan_folder

__all__ = [
    "APPEARANCES",
    "Appearance",
    "Registration",
    "Scan",
    "add_skin",
    "appearance",
    "clad",
    "dress",
    "furnish",
    "load_scan",
    "read_registration",
    "read_scan_folder",
]
