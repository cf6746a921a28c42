"""A viewer for studies, served from this origin: its files, below ``/viewer``."""
