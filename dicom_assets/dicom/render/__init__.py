"""From stored values to a small picture, as a viewer would show it (PS3.3 C.7.6.3, C.7.6.16, C.8.12, C.11)."""
