"""Computes the H3 cells of a jurisdiction's districts from their outlines.

`python -m deploy.jurisdictions.districts FILE` writes them to a `districts.toml`.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import h3

from shared.city.city import DistrictsFile
from shared.city.toml_files import CityError, parse_toml

CELLS_PER_LINE = 6


def cells_of(outline: Sequence[tuple[float, float]], resolution: int) -> list[str]:
    """Return the cells whose centre is inside an outline of (latitude, longitude) corners."""
    corners = [[longitude, latitude] for latitude, longitude in [*outline, outline[0]]]
    return sorted(h3.geo_to_cells({"type": "Polygon", "coordinates": [corners]}, resolution))


def fill_cells(text: str) -> str:
    """Return the text of a districts file with the cells of each outline in place of the present list.

    Raises:
        CityError: the text is not a districts file.
    """
    parsed = parse_toml("districts.toml", text, DistrictsFile)
    if isinstance(parsed, list):
        raise CityError(parsed)
    file = parsed.content
    lists = iter(cells_of(district.outline, file.resolution) for district in file.district)
    return re.sub(r"^cells = \[[^\]]*\]", lambda _: as_toml(next(lists)), text, flags=re.MULTILINE)


def as_toml(cells: list[str]) -> str:
    """Return cells as a TOML list with a few cells per line."""
    groups = [cells[i : i + CELLS_PER_LINE] for i in range(0, len(cells), CELLS_PER_LINE)]
    lines = ["  " + " ".join(f'"{cell}",' for cell in group) for group in groups]
    return "\n".join(["cells = [", *lines, "]"])


def main(path: Path) -> None:
    """Rewrite a districts file in place."""
    path.write_text(fill_cells(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
