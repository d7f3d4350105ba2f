"""Assertions of facts: kept as rows of the table, looked up, seen at a time, withdrawn, merged, forgotten."""
