"""Videos of scenes whose truth is known: validated, animated, filmed."""
