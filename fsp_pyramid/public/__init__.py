"""What works without credentials: files and thumbnails behind signed links."""
