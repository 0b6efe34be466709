"""A real nginx with the rendered configuration, in front of small recording services."""
