# SPDX-License-Identifier: Apache-2.0
"""Tuples with named fields are those of typing, without its import."""

import copy
import pickle
import typing

import pytest
from entente import light
from entente.run import Read


class Light(light.NamedTuple):
    """Of ours."""

    a: int
    b: str = "two"
    c: float | None = None

    @property
    def both(self) -> str:
        return f"{self.a}{self.b}"


class Typed(typing.NamedTuple):
    """Of typing's."""

    a: int
    b: str = "two"
    c: float | None = None


def test_they_are_made_alike() -> None:
    for one, other in (
        (Light(1), Typed(1)),
        (Light(1, "x"), Typed(1, "x")),
        (Light(1, c=2.5), Typed(1, c=2.5)),
        (Light(c=1, b="", a=0), Typed(c=1, b="", a=0)),
        (Light(1)._replace(b="y"), Typed(1)._replace(b="y")),
    ):
        assert tuple(one) == tuple(other)
        assert (one.a, one.b, one.c) == (other.a, other.b, other.c)
        assert repr(one) == repr(other).replace("Typed", "Light")
        assert hash(one) == hash(other)
        assert one._asdict() == other._asdict()
    assert Light._fields == Typed._fields == Light.__match_args__
    assert Light._make([1, "x", None]) == (1, "x", None)
    assert Light(1).both == "1two"
    assert Light.__doc__ == "Of ours."
    assert copy.copy(Light(3)) == pickle.loads(pickle.dumps(Light(3))) == Light(3)
    assert not hasattr(Light(1), "__dict__")
    assert isinstance(Read("orders", 0, 1, 0, 1, 1, None, 1), tuple)  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", [Light, Typed])
def test_mistakes(cls: typing.Any) -> None:
    for values, named in (((), {}), ((1, 2, 3, 4), {}), ((1,), {"a": 2}), ((1,), {"d": 2})):
        with pytest.raises(TypeError):
            cls(*values, **named)
    with pytest.raises(AttributeError):
        cls(1).a = 2


def test_what_is_kept() -> None:
    calls = []

    @light.lru_cache(2)
    def double(n: int) -> int:
        """Twice."""
        calls.append(n)
        return 2 * n

    assert [double(n) for n in (1, 1, 2, 3, 1)] == [2, 2, 4, 6, 2]
    assert calls == [1, 2, 3, 1]
    assert (double.__name__, double.__doc__) == ("double", "Twice.")
