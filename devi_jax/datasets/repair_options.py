"""What can be mended in a recording, as plain flags: a command line shows them without starting a simulator."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mending:
    """What to mend; all of it by default but feet that are locked and other grips."""

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
    """Hold the object by the likeliest grip wherever a hand is said to hold it, which hands seen in a video do not."""
    project: bool = True
    """Take hands out of the object, if open-loop replay is better for it."""
