"""Models for other programs, written from their lists of layers."""
