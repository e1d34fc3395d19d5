"""`python -m server.vault DATA`: the vault's process, as `bianmin centre run` starts it."""

import asyncio
import sys
from pathlib import Path

from server import settings
from server.vault.daemon import run
from sync.errors import BianminError
from sync.logs import set_up


def main() -> int:
    """Serve until stdin ends; answer the exit status."""
    set_up()
    try:
        chosen = settings.load(data_dir=Path(sys.argv[1]))
        asyncio.run(run(chosen, with_parent=True))
    except BianminError as error:
        sys.stderr.write(f"{error.code} {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
