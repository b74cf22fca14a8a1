"""Foreign motion files become clips here; nothing else in the project knows their layouts."""
