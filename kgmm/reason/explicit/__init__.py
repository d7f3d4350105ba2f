"""Answers by rules: what a scene says, what facts say, and both joined."""
