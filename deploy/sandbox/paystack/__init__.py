"""Paystack's API, checkout page and webhooks."""
