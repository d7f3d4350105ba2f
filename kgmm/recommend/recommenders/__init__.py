"""Recommenders, one file each, found by their file names; a file's ``METHOD`` is the class."""
