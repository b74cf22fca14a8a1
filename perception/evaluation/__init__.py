"""An extraction against its truth."""
