"""Classes of values do what frozen dataclasses do."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from uv_self_update.values import field, frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable


@frozen
class Base(ABC):
    """A base of values."""

    name: str
    kind: ClassVar[str] = "base"

    @property
    @abstractmethod
    def shown(self) -> str:
        """What is abstract."""


@frozen
class Value(Base):
    """A value with each kind of attribute."""

    size: int = 0
    secret: str = field(default="none", repr=False)
    files: list[str] = field(default_factory=list)
    seen: int = field(default=0, compare=False)
    optional: str | None = None

    @property
    def shown(self) -> str:
        """What was abstract."""
        return f"{self.name} {self.size}"

    @cached_property
    def computed(self) -> list[str]:
        """What is computed once."""
        return [self.name]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    """The same, of the standard library."""

    name: str
    size: int = 0
    secret: str = dataclasses.field(default="none", repr=False)
    files: list[str] = dataclasses.field(default_factory=list)
    seen: int = dataclasses.field(default=0, compare=False)
    optional: str | None = None


@pytest.mark.parametrize(
    "given",
    [
        {"name": "a"},
        {"name": "a", "size": 2, "secret": "s", "files": ["x"], "seen": 3, "optional": "y"},
    ],
)
def test_like_a_dataclass(given: dict[str, Any]) -> None:
    """The attributes, their order, and what is shown are those of a dataclass."""
    value, model = Value(**given), Model(**given)
    assert list(vars(value).items()) == list(vars(model).items())
    assert repr(value) == repr(model).replace("Model", "Value")


def test_functions_of_dataclasses() -> None:
    """`dataclasses` takes values for dataclasses, as type checkers do."""
    value = Value(name="a", files=["x"])
    assert dataclasses.is_dataclass(value)
    assert dataclasses.asdict(value) == dataclasses.asdict(Model(name="a", files=["x"]))
    assert dataclasses.replace(value, size=3) == replace(value, size=3)
    fields = [(one.name, one.repr, one.compare) for one in dataclasses.fields(Value)]
    assert fields == [(one.name, one.repr, one.compare) for one in dataclasses.fields(Model)]


def test_equality() -> None:
    """Values are equal if they have one class and equal attributes, except those left out."""
    assert Value(name="a") == Value(name="a", seen=9)
    assert Value(name="a") != Value(name="b")
    assert Value(name="a") != Value(name="a", secret="other")  # noqa: S106 # of a test
    other: object = Model(name="a")
    assert Value(name="a") != other
    assert Value(name="a").files is not Value(name="a").files


def test_hash() -> None:
    """Equal values have one hash; a value that contains a list has none."""

    @frozen
    class Pair:
        one: int
        two: int = field(default=0, compare=False)

    assert {Pair(one=1), Pair(one=1, two=5), Pair(one=2)} == {Pair(one=1), Pair(one=2)}
    with pytest.raises(TypeError):
        hash(Value(name="a"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Value, "missing 'name'"),
        (lambda: Value(name="a", nothing=1), "unknown 'nothing'"),  # type: ignore[call-arg]
        (lambda: Value(nothing=1, size=2), "missing 'name'"),  # type: ignore[call-arg]
        (lambda: Value("a"), "positional"),  # type: ignore[call-arg]
        (lambda: replace(Value(name="a"), nothing=1), "Value: unknown 'nothing'"),
        (lambda: Base(name="a"), "abstract"),  # type: ignore[abstract]
    ],
)
def test_refused(make: Callable[[], object], words: str) -> None:
    """A missing, an unknown and a positional argument are errors, and so is an abstract class."""
    with pytest.raises(TypeError, match=words):
        make()


def test_frozen() -> None:
    """Nothing can be changed; a cached property is computed all the same."""
    value = Value(name="a")
    with pytest.raises(AttributeError, match="cannot change `size`"):
        value.size = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="cannot change `size`"):
        del value.size
    assert value.computed is value.computed


def test_replace() -> None:
    """A changed copy has the other attributes of the original; a plain copy has all of them."""
    value = Value(name="a", size=1, files=["x"])
    assert replace(value, size=2) == Value(name="a", size=2, files=["x"])
    assert copy(value) == value
    assert (value.size, value.kind) == (1, "base")


def test_own_methods_stay() -> None:
    """A class may show and compare itself in its own way."""

    @frozen
    class Own:
        one: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

        def __hash__(self) -> int:
            return 7

    assert repr(Own(one=1)) == "own"
    assert Own(one=1) == Own(one=2)
    assert hash(Own(one=1)) == 7
