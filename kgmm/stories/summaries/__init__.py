"""Summaries of news stories: methods, queries, storyboards, links to knowledge."""
