"""Payments: money that comes in through Paystack for an order, and money that goes back."""
