"""What a scene looks like: people, clothes, things, surroundings. For drawing only: nothing here moves anything."""

from envs.looks.appearance import APPEARANCES, Appearance, appearance
from envs.looks.dress import add_skin, dress
from envs.looks.room import furnish
from envs.looks.things import clad

__all__ = ["APPEARANCES", "Appearance", "add_skin", "appearance", "clad", "dress", "furnish"]
