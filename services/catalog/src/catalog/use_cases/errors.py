"""Why a command may be refused, beyond the rules of the domain."""


class ProductNotFound(Exception):
    """There is no such product, or the public may not see it."""


class CategoryNotFound(Exception):
    """There is no such category."""


class SkuNotFound(Exception):
    """There is no variant with this SKU."""


class SkuTaken(Exception):
    """Another product has one of these SKUs; `errors` names the fields."""

    def __init__(self, positions: list[int]) -> None:
        super().__init__("a SKU belongs to another product")
        self.errors = {f"variants.{n}.sku": ["belongs to another product"] for n in positions}


class UnknownCategory(Exception):
    """The body names a category that does not exist."""

    def __init__(self, field: str) -> None:
        super().__init__("there is no such category")
        self.errors = {field: ["there is no such category"]}


class NotEnoughStock(Exception):
    """An adjustment would take away what is not there, or is promised to customers."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"there are not so many units of {sku} that are free")
        self.errors = {"delta": ["more than what is on hand and not reserved"]}


class KeyReused(Exception):
    """An idempotency key comes back with another adjustment."""


class CategoryInUse(Exception):
    """Products or other categories are in the category."""


class ImportNotFound(Exception):
    """There is no such import."""


class ImportTakenOver(Exception):
    """Another worker has gone on with this import meanwhile."""


class ReviewNotFound(Exception):
    """There is no such review, or it is somebody else's."""


class AccountClosed(Exception):
    """The customer closed their account; what they send now was on its way meanwhile."""


class AlreadyReviewed(Exception):
    """The customer has reviewed this product before."""


class NotAPicture(Exception):
    """The file is no JPEG, PNG or WebP, whatever it calls itself."""


class BadPicture(Exception):
    """The file is broken, animated, or too large as a picture."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the picture {why}")
        self.errors = {"file": [why]}


class TooBusy(Exception):
    """Others wait for the same scarce thing; try again in a moment."""


class ImageStoreUnavailable(Exception):
    """The image store cannot be reached, or does not do what it should."""


class UploadOverdue(ImageStoreUnavailable):
    """The upload took so long that its file was given up."""


class TooEarly(Exception):
    """This news is ahead of news that we have not heard yet; deliver it again later."""
