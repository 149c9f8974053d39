"""The way in for players: the grammar of media paths, the token check, ranges and caching headers."""
