"""The tables of methods: what a recipe can choose, as plain functions of arrays and numbers."""
