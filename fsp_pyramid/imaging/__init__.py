"""Rendering of thumbnails from pictures that may be hostile: Pillow in worker processes, without the web."""
