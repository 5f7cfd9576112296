"""Classes of values: frozen, keyword-only, compared by content.

They behave like `@dataclass(frozen=True, kw_only=True)`, and type checkers read them as that
(PEP 681). `dataclasses` writes and compiles the methods of each class, and imports `inspect` for
that; here all classes share the methods below. An update makes 90 classes before its first request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform, overload

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")

_MISSING: Any = object()
_SHAPE = "__value_shape__"


class Field:
    """What `field` says about an attribute."""

    __slots__ = ("compared", "default", "factory", "shown")

    def __init__(
        self, default: object, factory: Callable[[], object] | None, *, shown: bool, compared: bool
    ) -> None:
        self.default = default
        self.factory = factory
        self.shown = shown
        self.compared = compared


@overload
def field(*, repr: bool = ..., compare: bool = ...) -> Any: ...  # noqa: ANN401 # as in typeshed
@overload
def field(*, default: T, repr: bool = ..., compare: bool = ...) -> T: ...
@overload
def field(*, default_factory: Callable[[], T], repr: bool = ..., compare: bool = ...) -> T: ...
def field(
    *,
    default: Any = _MISSING,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,  # noqa: A002 # as in dataclasses
    compare: bool = True,
) -> Any:
    """Describe an attribute, as `dataclasses.field` does.

    Args:
        default: The default of all values.
        default_factory: Makes the default of each value.
        repr: Whether `repr` shows the attribute; a secret it must not.
        compare: Whether the attribute counts for `==` and `hash`.
    """
    return Field(default, default_factory, shown=repr, compared=compare)


class _Fields:
    """`__dataclass_fields__`, made when the functions of `dataclasses` need it.

    A type checker accepts `dataclasses.asdict` of a value, so it has to work.
    """

    def __get__(self, _: object, cls: type) -> dict[str, Any]:
        import dataclasses  # noqa: PLC0415 # slow to import, and needed by few commands

        fields = []
        for name, one in _shape(cls).fields.items():
            default = dataclasses.MISSING if one.default is _MISSING else one.default
            factory = one.factory or dataclasses.MISSING
            options = {"default": default, "default_factory": factory}
            described = dataclasses.field(**options, repr=one.shown, compare=one.compared)  # type: ignore[call-overload]
            fields.append((name, object, described))
        model = dataclasses.make_dataclass(cls.__name__, fields, frozen=True, kw_only=True)
        return {one.name: one for one in dataclasses.fields(model)}


class _Shape:
    """The attributes of a class, in order."""

    __slots__ = ("compared", "defaults", "factories", "fields", "names", "shown")

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = fields
        self.names = fields.keys()
        self.defaults = {
            name: one.default for name, one in fields.items() if one.default is not _MISSING
        }
        self.factories = {name: one.factory for name, one in fields.items() if one.factory}
        self.shown = [name for name, one in fields.items() if one.shown]
        self.compared = [name for name, one in fields.items() if one.compared]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class one of values, whose attributes are its annotations and those of its bases."""
    fields: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        if _SHAPE in base.__dict__:
            fields |= _shape(base).fields
    for name, annotation in cls.__annotations__.items():
        if str(annotation).startswith("ClassVar"):
            continue
        found = cls.__dict__.get(name, _MISSING)
        if not isinstance(found, Field):
            found = Field(found, None, shown=True, compared=True)
        elif found.default is _MISSING:
            delattr(cls, name)
        else:
            setattr(cls, name, found.default)
        fields[name] = found
    setattr(cls, _SHAPE, _Shape(fields))
    cls.__dataclass_fields__ = _Fields()  # type: ignore[attr-defined]
    for name, method in _METHODS.items():
        if name not in cls.__dict__ or cls.__dict__[name] is None:
            setattr(cls, name, method)
    return cls


def replace(before: T, /, **changes: object) -> T:
    """Return a copy of a value with some attributes changed.

    Raises:
        TypeError: There is no such attribute.
    """
    values = {name: getattr(before, name) for name in _shape(type(before)).names}
    return type(before)(**{**values, **changes})


def _shape(cls: type) -> _Shape:
    shape: _Shape = getattr(cls, _SHAPE)
    return shape


def _init(self: object, **given: object) -> None:
    shape = _shape(type(self))
    for name, factory in shape.factories.items():
        if name not in given:
            given[name] = factory()
    values = {**shape.defaults, **given}
    if values.keys() != shape.names:
        missing = [name for name in shape.names if name not in values]
        words = "missing" if missing else "unknown"
        names = ", ".join(map(repr, missing or given.keys() - shape.names))
        message = f"{type(self).__name__}: {words} {names}"
        raise TypeError(message)
    store = object.__setattr__
    # In their order, so that all values of a class share the keys of their dictionaries.
    for name in shape.names:
        store(self, name, values[name])


def _repr(self: object) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _shape(type(self)).shown)
    return f"{type(self).__qualname__}({shown})"


def _eq(self: object, other: object) -> Any:  # noqa: ANN401 # NotImplemented has no type
    if type(other) is not type(self):
        return NotImplemented
    compared = _shape(type(self)).compared
    return all(getattr(self, name) == getattr(other, name) for name in compared)


def _hash(self: object) -> int:
    return hash(tuple(getattr(self, name) for name in _shape(type(self)).compared))


def _refuse(self: object, name: str, *_: object) -> NoReturn:
    message = f"cannot change `{name}` of a {type(self).__name__}"
    raise AttributeError(message)


_METHODS = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
}
