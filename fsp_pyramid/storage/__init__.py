"""What a view talks to: IStorage and the layers that provide it."""
