"""What a title is and how a player is told of it. Pure: bytes and frozen values in, bytes and frozen values out."""
