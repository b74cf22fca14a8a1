"""How the bundled body and skin are made from MakeHuman's CC0 data."""
