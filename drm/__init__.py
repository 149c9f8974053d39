"""Schemes of protection; the place where keys, encryption and licences will live."""
