"""The stand-ins for Paystack, Cloudinary and the mail server."""
