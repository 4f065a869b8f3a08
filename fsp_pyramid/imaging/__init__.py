"""Thumbnails from pictures that may be hostile: Pillow in worker processes. It knows nothing of the web."""
