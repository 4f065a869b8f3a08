"""The guarded download of a URL that somebody gave us. Knows nothing of Pyramid, of settings or of Egnyte."""
