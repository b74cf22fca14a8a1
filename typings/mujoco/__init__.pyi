"""MuJoCo's compiled modules carry no types: without this stub pyright knows none of their names."""

from typing import Any

def __getattr__(name: str) -> Any: ...
