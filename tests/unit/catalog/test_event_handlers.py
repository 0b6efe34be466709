import pytest

from tests.unit.catalog.fakes import FakeShop
from tests.unit.catalog.stock_contract import StockContract


class TestStockInMemory(StockContract):
    @pytest.fixture
    def shop(self):
        return FakeShop()
