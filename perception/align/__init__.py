"""The recovered motion brought into agreement with the scene and with the video (DeVI 4.2, A.6)."""
