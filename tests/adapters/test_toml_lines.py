"""On which line does a key stand? Every form that TOML has."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.settings.toml_lines import lines_of


def test_lines_are_found_in_every_form_that_toml_has() -> None:
    """Strings, arrays and inline tables over lines, quoted and dotted keys, tables in arrays of tables."""
    text = '''\
# a comment with [brackets] and = signs
top = """
[not.a.table]
""" # after
"quoted key" = 1
a.b.c = 2026-01-01 10:00:00
[x . "y.z"]
list = [ # comment ]
  1, [2, 3],
  { k = "}", "l m" = [
    4 ] },
]
[[t]]
[[t.u]]
v = 'a # b'
[[t.u]]
v = {w = 1}
[[t]]
[t.s]
'''
    tomllib.loads(text)
    assert {place: line for place, line in lines_of(text).items() if len(place) > 1 or place == ("top",)} == {
        ("top",): 2,
        ("a", "b"): 6,
        ("a", "b", "c"): 6,
        ("x", "y.z"): 7,
        ("x", "y.z", "list"): 8,
        ("x", "y.z", "list", 0): 9,
        ("x", "y.z", "list", 1): 9,
        ("x", "y.z", "list", 1, 0): 9,
        ("x", "y.z", "list", 1, 1): 9,
        ("x", "y.z", "list", 2): 10,
        ("x", "y.z", "list", 2, "k"): 10,
        ("x", "y.z", "list", 2, "l m"): 10,
        ("x", "y.z", "list", 2, "l m", 0): 11,
        ("t", 0): 13,
        ("t", 0, "u"): 14,
        ("t", 0, "u", 0): 14,
        ("t", 0, "u", 0, "v"): 15,
        ("t", 0, "u", 1): 16,
        ("t", 0, "u", 1, "v"): 17,
        ("t", 0, "u", 1, "v", "w"): 17,
        ("t", 1): 18,
        ("t", 1, "s"): 19,
    }


def _places(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found = {path} if path else set()
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in pairs:
        found |= _places(inner, (*path, part))
    return found


_TEXT = st.text(alphabet="ab\"'#[]{}=,.\\\n \t日", max_size=6)


def _written(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[\n" + ",\n".join(_written(inner) for inner in value) + "\n]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)} = {_written(inner)}" for key, inner in value.items()) + "}"
    return str(value).lower()


_VALUES = st.recursive(
    st.one_of(_TEXT, st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(_TEXT, _VALUES, max_size=4))
def test_every_place_in_a_file_has_a_line_and_no_other_has(content: dict[str, Any]) -> None:
    """The walk never loses its way in whatever stands in strings."""
    text = "".join(f"{_written(key)} = {_written(value)}\n" for key, value in content.items())
    assert set(lines_of(text)) == _places(tomllib.loads(text))
