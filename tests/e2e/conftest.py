from tests.support.books import green_books
from tests.support.shop import shop

__all__ = ["green_books", "shop"]
