"""The bits by which things that may meet know each other.

What stands around carries a `contype` bit; a body's geoms have `contype` 0 and name in `conaffinity` what they meet. So
no part of a body collides with another.
"""

FLOOR = 1
TABLE = 2
OBJECT = 4
