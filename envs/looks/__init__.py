"""What a scene looks like: people, clothes, things, surroundings. For drawing only: nothing here moves anything."""

from envs.looks.appearance import APPEARANCES, Appearance, appearance
from envs.looks.dress import add_skin, dress
from envs.looks.registration import Registration, read_registration
from envs.looks.room import furnish
from envs.looks.scan import Scan, load_scan
from envs.looks.things import clad

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
]
