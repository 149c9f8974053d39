"""The migrations, one file each, named after what they change."""
