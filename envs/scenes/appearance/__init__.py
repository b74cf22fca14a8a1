"""What a scene looks like: people, clothes, things, surroundings. For drawing only: nothing here moves anything."""

from envs.scenes.appearance.appearance import APPEARANCES, Appearance, appearance
from envs.scenes.appearance.dress import add_skin, dress_human
from envs.scenes.appearance.object_visuals import dress_object
from envs.scenes.appearance.registration import Registration, read_registration
from envs.scenes.appearance.room import add_room
from envs.scenes.appearance.scan import Scan, load_scan, read_scan_folder

__all__ = [
    "APPEARANCES",
    "Appearance",
    "Registration",
    "Scan",
    "add_skin",
    "appearance",
    "dress_object",
    "dress_human",
    "add_room",
    "load_scan",
    "read_registration",
    "read_scan_folder",
]
