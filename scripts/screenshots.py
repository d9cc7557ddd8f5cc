"""Take the pictures of the report that docs/ holds: ``make screenshots`` after a build.

python scripts/screenshots.py report/segments.html docs/report_demo
"""

import argparse
from pathlib import Path

from browser import CHROMIUM, Browser

# Name, width and height of the window, dark, where the picture begins, a selector or the top.
PICTURES = (
    ("top", 1280, 1240, False, "body"),
    ("map", 1280, 1280, True, "#customers-on-a-map"),
    ("phone", 390, 740, False, "#calculator"),
)
LARGEST = 400_000


def main():
    """Take each picture and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("prefix", help="path of the pictures without their names")
    options = parser.parse_args()
    if not CHROMIUM:
        raise SystemExit("error: chromium is missing; on Debian: apt install chromium")
    with Browser() as browser:
        for name, width, height, dark, start in PICTURES:
            browser.open(options.page, width=width, dark=dark, phone=width < 500)
            # A bar that stays in sight would hide what is under it.
            browser.evaluate("document.querySelector('.filter').style.position = 'static'")
            top = browser.evaluate(
                f"document.querySelector('{start}').getBoundingClientRect().top + scrollY"
            )
            picture = browser.picture((0, max(0, top), width, height))
            if len(picture) > LARGEST:
                raise SystemExit(f"error: {name} has {len(picture):,} bytes, over {LARGEST:,}")
            path = Path(f"{options.prefix}_{name}.png")
            path.write_bytes(picture)
            print(f"{path}: {len(picture):,} bytes")


if __name__ == "__main__":
    main()
