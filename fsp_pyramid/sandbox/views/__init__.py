"""The sandbox's views, a module for each of Egnyte's areas."""
