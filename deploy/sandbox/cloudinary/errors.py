"""Refusals in Cloudinary's words."""


class CloudinaryError(Exception):
    """Answered as `{"error": {"message": …}}`, on delivery as the header X-Cld-Error."""

    def __init__(self, http: int, message: str) -> None:
        super().__init__(message)
        self.http, self.message = http, message
