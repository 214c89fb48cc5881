"""Expressions of DynamoDB with a placeholder for every name and value, so that no attribute's name can meet a reserved word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]
"""An item's attributes as Python values; what is None is not kept."""

_serializer: Any = TypeSerializer()
_deserializer: Any = TypeDeserializer()


def encoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as DynamoDB takes it; attributes that are None are left out."""
    return {name: _serializer.serialize(value) for name, value in item.items() if value is not None}


def decoded(item: Mapping[str, Any]) -> Item:
    """An item as DynamoDB gave it. Numbers are Decimal."""
    return {name: _deserializer.deserialize(value) for name, value in item.items()}


@dataclass
class Expressions:
    """The expressions of one call, and what their placeholders stand for."""

    _names: dict[str, str] = field(default_factory=dict[str, str])
    _values: dict[str, Any] = field(default_factory=dict[str, Any])

    def name(self, attribute: str) -> str:
        """The placeholder of an attribute's name."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, value: Any) -> str:
        """The placeholder of a value."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = _serializer.serialize(value)
        return placeholder

    def set(self, values: Mapping[str, Any]) -> str:
        """Assignments for SET; what is None is left as it is."""
        return ", ".join(f"{self.name(name)} = {self.value(value)}" for name, value in values.items() if value is not None)

    def all(self, conditions: Sequence[str]) -> str:
        """The condition that all of these hold."""
        return " AND ".join(f"({condition})" for condition in conditions)

    def equal(self, values: Mapping[str, Any]) -> str:
        """The condition that attributes have these values."""
        return self.all([f"{self.name(name)} = {self.value(value)}" for name, value in values.items()])

    def absent(self, attribute: str) -> str:
        """The condition that the item has no such attribute; of a key's attribute, that there is no item."""
        return f"attribute_not_exists({self.name(attribute)})"

    def at_most(self, attribute: str, value: Any) -> str:
        """The condition that an attribute is there and has that value or a lower one."""
        return f"{self.name(attribute)} <= {self.value(value)}"

    def parameters(self) -> dict[str, Any]:
        """What a call needs besides the expressions."""
        found: dict[str, Any] = {"ExpressionAttributeNames": {placeholder: name for name, placeholder in self._names.items()}}
        return {**found, "ExpressionAttributeValues": self._values} if self._values else found
