"""The two small programs in the services' images."""
