"""Content cache: files of Egnyte behind public links, kept on disk with an index; without the web."""
