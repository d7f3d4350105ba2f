"""Adapters by name: one file each, whose ``METHOD`` is its class."""
