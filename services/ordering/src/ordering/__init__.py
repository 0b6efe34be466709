"""Ordering owns carts, orders, their history, and its own copy of what the catalogue offers."""
