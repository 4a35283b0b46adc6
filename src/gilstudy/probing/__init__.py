"""Finds out whether a call releases the GIL."""
