"""What can go wrong with accounts, each with a stable code."""

from sync.errors import BianminError


class AccountRefused(BianminError):
    """An account cannot be made or changed as asked; `reason` is a key of the page's texts."""

    code = "422.39"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
