"""Content cache: files of Egnyte that public links open, kept on disk with an index. It knows nothing of the web."""
