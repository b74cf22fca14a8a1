"""What can be repaired in a recording, as plain flags: a command line shows them without starting a simulator."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RepairOptions:
    """What to repair: by default everything but locking feet and replacing grasps."""

    support: bool = True
    """Infer the table if there is none, and raise it to where the object rests."""
    sigma: float = 1.0
    """Frames of the Gaussian that smooths the motion; 0 leaves it."""
    ground: bool = True
    """Lower or raise the human onto the floor, and lift feet out of it."""
    lock_feet: bool = False
    """Keep standing feet where they stand."""
    balance: bool = True
    """Bring the centre of mass over feet that stand; hands and feet stay."""
    margin_m: float = 0.02
    """How far inside the soles' edge, where the body can; one that goes on to step needs more, such as 0.05."""
    grip: bool = False
    """Replace grasps by the likeliest ones where a hand is labelled as touching; hands from video hold nothing."""
    project: bool = True
    """Take hands out of the object, if open-loop replay is better for it."""
