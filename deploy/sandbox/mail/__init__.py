"""A mail server that keeps everything and sends nothing on."""
