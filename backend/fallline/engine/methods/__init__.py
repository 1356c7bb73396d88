"""The tables of methods that a recipe can choose."""
