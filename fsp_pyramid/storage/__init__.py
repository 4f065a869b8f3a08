"""Storage: the operations of a caller, and the layers below them that implement IStorage."""
