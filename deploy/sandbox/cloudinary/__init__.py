"""Cloudinary's upload, admin and delivery."""
