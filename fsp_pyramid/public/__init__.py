"""Public surface: files and thumbnails behind signed links, without credentials."""
