"""Titles and their versions, as they are listed and shown."""
