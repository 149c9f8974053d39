"""Manifests and segments, made from the stored copy when they are asked for."""
