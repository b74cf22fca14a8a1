"""Where the object is in space, from tracks and looks: to align, plan and judge by; what is learned is 2D (DeVI)."""
