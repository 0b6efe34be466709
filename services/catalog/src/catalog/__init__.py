"""Catalog owns products, variants, categories, tags and images, and the stock of every variant."""
