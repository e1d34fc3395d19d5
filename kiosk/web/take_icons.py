"""Take the icons that the screens use out of two npm packages into `static/icons`.

    npm install --prefix /tmp/npm @iconify-json/fluent-emoji-flat @phosphor-icons/core
    .venv/bin/python -m kiosk.web.take_icons /tmp/npm/node_modules

Run by hand when an icon is added; the taken files are in the repository, so that neither a build
nor a kiosk needs npm.
"""

import json
import sys
from pathlib import Path

#: Names of the catalogue's icons and of the interface's pictures → names in fluent-emoji-flat.
PICTURES_FILE = Path(__file__).parent / "static" / "icons" / "pictures.json"
#: Interface signs → names in phosphor, weight bold.
SIGNS = {
    "again": "ear",
    "language": "globe",
    "helper": "hand",
    "back": "arrow-left",
    "next": "arrow-right",
    "delete": "backspace",
    "change": "pencil-simple",
    "home": "house",
    "stored": "tray-arrow-up",
    "sent": "check-circle",
    "tick": "check",
    "cross": "x",
    "record": "microphone",
    "stop": "stop",
    "play": "play",
    "pause": "pause",
    "shutter": "camera",
    "finger": "fingerprint",
    "redo": "arrow-counter-clockwise",
    "clear": "eraser",
    "keyboard": "keyboard",
    "earlier": "caret-left",
    "later": "caret-right",
    "attention": "warning-circle",
    "skip": "arrow-bend-up-right",
    "none": "prohibit",
    "comfort": "eye",
}
#: Signs that stand where pictures do, in the ink of the text.
DRAWN = {"bigger": "magnifying-glass-plus", "smaller": "magnifying-glass-minus"}


def take(modules: Path, target: Path) -> None:
    """Write one SVG file per icon.

    Args:
        modules: An unpacked `node_modules`.
        target: Folder of the icons.

    Raises:
        KeyError: A package has no icon of that name.
        OSError: A file is missing or cannot be written.
    """
    fluent = json.loads(
        (modules / "@iconify-json/fluent-emoji-flat/icons.json").read_text("utf-8")
    )["icons"]
    (target / "pictures").mkdir(parents=True, exist_ok=True)
    (target / "signs").mkdir(parents=True, exist_ok=True)
    for name, source in json.loads(PICTURES_FILE.read_text("utf-8")).items():
        body = fluent[source]["body"]
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{body}</svg>\n'
        (target / "pictures" / f"{name}.svg").write_text(svg, "utf-8")
    for name, source in SIGNS.items():
        svg = (modules / f"@phosphor-icons/core/assets/bold/{source}-bold.svg").read_text("utf-8")
        (target / "signs" / f"{name}.svg").write_text(svg.strip() + "\n", "utf-8")
    for name, source in DRAWN.items():
        svg = (modules / f"@phosphor-icons/core/assets/bold/{source}-bold.svg").read_text("utf-8")
        inked = svg.strip().replace("<path ", '<path fill="currentColor" ')
        (target / "pictures" / f"{name}.svg").write_text(inked + "\n", "utf-8")


if __name__ == "__main__":
    take(Path(sys.argv[1]), PICTURES_FILE.parent)
