"""What stands in a scene: objects, a catalogue of them, and what they look like."""
