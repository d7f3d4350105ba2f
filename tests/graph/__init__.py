"""Tests of graph views."""
