"""Paystack, Cloudinary and a mail server on this machine, for development and tests."""
