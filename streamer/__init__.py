"""Everything that meets the world: the API, the origin, the edge, the pages and the command."""
