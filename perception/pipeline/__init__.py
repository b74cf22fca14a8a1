"""The stages from a video to a clip, and their files."""
