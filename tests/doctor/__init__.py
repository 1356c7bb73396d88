"""The Doctor measured: recipes, an oracle that labels them, and the survey of `make doctor`."""
