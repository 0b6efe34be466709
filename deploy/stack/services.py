"""The names of the services, in the order in which people meet them."""

SERVICES = ("catalog", "identity", "ordering", "payments", "notifier")
# identity tells others about its users and listens to nobody.
CONSUMERS = ("catalog", "ordering", "payments", "notifier")
