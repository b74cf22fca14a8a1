"""Videos as files, how steady and how clean they are, and drawing over them."""
