"""The commands that work on the database and not through the API."""
