"""Strategies of learning on, one a file with its class ``METHOD``."""
