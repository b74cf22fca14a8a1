"""A scene out of a film: where the thing is, how the camera looks at it, how large it is, where the person stands."""
