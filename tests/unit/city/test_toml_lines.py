"""Every key and value of a TOML text is found on the line where a writer sees it."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from shared.city.toml_lines import TomlPath, lines_of, nearest
from shared.kit.service.settings import SAMPLE_CITY

EVERYTHING = '''
# a remark = "with a key"
title = "a # in a string, and a \\" too"   # and a remark
"quoted key" = 1
'literal' = 'C:\\no escapes'
dotted.key.path = true
when = 1979-05-27 07:32:00Z
words = """
[not a table]
key = "value" \\""" and ""more""""
more = \'\'\'
'quoted' [[neither]]
\'\'\'
list = [
  1,  # first, with a ]
  "two, too",
  [3.0, { deep = "x", other = [4] }],
]
inline = { a = 1, b.c = "}" }

[table]
x = 1
[ table . "sub table" ]
y = 2

[[many]]
z = 1
[many.inner]
w = 1
[[many.list]]
v = 1
[[many.list]]
v = 2

[[many]]
z = 2
[[many.list]]
v = 3
'''

PLACES: dict[TomlPath, int] = {
    ("title",): 3,
    ("quoted key",): 4,
    ("literal",): 5,
    ("dotted",): 6,
    ("dotted", "key", "path"): 6,
    ("when",): 7,
    ("words",): 8,
    ("more",): 11,
    ("list",): 14,
    ("list", 0): 15,
    ("list", 1): 16,
    ("list", 2): 17,
    ("list", 2, 1, "deep"): 17,
    ("list", 2, 1, "other", 0): 17,
    ("inline", "b", "c"): 19,
    ("table",): 21,
    ("table", "x"): 22,
    ("table", "sub table"): 23,
    ("table", "sub table", "y"): 24,
    ("many",): 26,
    ("many", 0): 26,
    ("many", 0, "inner", "w"): 29,
    ("many", 0, "list", 1): 32,
    ("many", 0, "list", 1, "v"): 33,
    ("many", 1): 35,
    ("many", 1, "list", 0, "v"): 38,
}


def paths(value: Any, above: TomlPath = ()) -> Iterator[TomlPath]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*above, key)
        yield from paths(each, (*above, key))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_all_that_toml_has_is_found(ending: str) -> None:
    text = EVERYTHING.replace("\n", ending)
    lines = lines_of(text)
    assert set(lines) == set(paths(tomllib.loads(text)))
    assert {path: lines[path] for path in PLACES} == PLACES


@pytest.mark.parametrize("file", sorted(SAMPLE_CITY.rglob("*.toml")), ids=lambda file: str(file.name))
def test_every_key_of_the_sample_city_is_found_on_its_line(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    lines, written = lines_of(text), text.splitlines()
    assert set(lines) == set(paths(tomllib.loads(text)))
    keys = [path for path in lines if isinstance(path[-1], str)]
    assert not [path for path in keys if path[-1] not in written[lines[path] - 1]]


def test_what_is_not_there_is_shown_at_the_table_around_it() -> None:
    lines = lines_of(EVERYTHING)
    assert nearest(lines, ("many", 1, "missing")) == 35
    assert nearest(lines, ("missing",)) == 1
