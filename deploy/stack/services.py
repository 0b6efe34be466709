"""The names of the services, in the order in which people meet them."""

SERVICES = ("catalog", "identity", "ordering", "payments", "notifier")
