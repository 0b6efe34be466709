"""HTTP plumbing that the services share; it knows no business word."""
