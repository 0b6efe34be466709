"""Notifier owns every mail that the shop sends, their templates, and what staff are alerted of."""
