"""Card data that must never come in: numbers that look like a card's, and fields named after what only a card carries.

PCI DSS 4.0.1, requirement 3: card numbers stay with the processor's vault, and sensitive authentication data
(card verification codes, track data, PINs) may not be kept after authorization, so none of it is let in.

What counts as a card number:
- 12 to 19 digits (ISO/IEC 7812-1) that pass the Luhn check and do not start with 0, standing alone or in groups with
  separators between them; any run of neighbouring groups is tried, so that an expiry date behind the number hides nothing;
- inside a longer row of digits, the same with the prefix and length of a card brand; without that, nearly every long
  row of digits would contain one by chance.
UUIDs and long hexadecimal digests are taken for what they are: one in a thousand would pass for a card number by chance.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any

_SHORTEST, _LONGEST = 12, 19

# Between the groups of a number as people write it. No colon: times of day have it.
_RUN = re.compile(r"\d+(?:[\s\-._/,;|*+'\"()]{1,3}\d+)*")
# A row with as many digits as the shortest number has. Nearly no text has one, and looking for it costs a tenth of looking at every row.
_ENOUGH = re.compile(r"\d(?:[\s\-._/,;|*+'\"()]{0,3}\d){11}")
_IDENTIFIER = re.compile(
    r"\b(?=[0-9-]{0,127}[a-f])(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|[0-9a-f]{32,128})\b",
    re.IGNORECASE,
)

# Prefixes and lengths as the brands publish them: Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro, RuPay.
_BRANDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|3(?:0[0-59]|[689]\d)\d{11}(?:\d{2})?"
    r"|(?:6011|64[4-9]\d|65\d{2})\d{12}"
    r"|35(?:2[89]|[3-8]\d)\d{12}"
    r"|62\d{14,17}"
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
    r"|(?:60|81|82|508)\d{13,14}"
)

# Compared without case and punctuation. CAV2, CVC2, CVV2 and CID are the brands' words for the verification code (PCI DSS, glossary).
_FORBIDDEN_NAMES = frozenset({
    "cid", "csc", "cvn", "cvn2", "cav", "cav2", "cardcode", "cardsecuritycode", "securitycode", "cardverification", "cardverificationcode",
    "cardverificationnumber", "cardverificationvalue", "verificationvalue", "pan", "primaryaccountnumber", "cardnumber", "cardno", "ccnumber", "ccnum",
    "creditcard", "creditcardnumber", "debitcardnumber", "track1", "track2", "trackdata", "track1data", "track2data", "magneticstripe", "magstripe",
    "pin", "pinblock",
})  # fmt: skip
_FORBIDDEN_PARTS = ("cvv", "cvc")

# By Unicode category: zero-width characters and combining marks vanish; dashes, spaces, dots and bullets become their plain forms.
_SEPARATORS = {"Cf": "", "Mn": "", "Pd": "-", "Zs": " ", "Po": "."}

_PUNCTUATION = {number: None for number in range(128) if not chr(number).isalnum()}

# A doubled digit, and the sum of its digits when it has two.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

REMOVED = "[card number removed]"
"""What `redacted` leaves in a card number's place."""


@dataclass(frozen=True)
class Finding:
    """Card data in a payload.

    field: path of the field, for example `metadata.order.note`; a key that is itself at fault is not repeated.
    rule: what is wrong, without the value.
    """

    field: str
    rule: str


def has_card_number(text: str) -> bool:
    """Whether a card number is found anywhere in the text, in whatever way its digits are grouped."""
    plain = _plain(text)
    if not _ENOUGH.search(plain):
        return False
    plain = _IDENTIFIER.sub("x", plain)
    return any(_in_run(run.group()) for run in _RUN.finditer(plain))


def redacted(text: str) -> str:
    """The text with every row of digits that holds a brand's card number replaced: the last line of defence in front of logs.

    UUIDs and digests are left whole: a log without a payment's id, or a dead letter that cannot be replayed, helps nobody.
    """
    if not _ENOUGH.search(text):
        return text
    kept = (found.group() for found in _IDENTIFIER.finditer(text))
    return "".join(_without_numbers(between) + next(kept, "") for between in _IDENTIFIER.split(text))


def _without_numbers(text: str) -> str:
    return _RUN.sub(lambda run: REMOVED if _in_run(run.group(), grouped=False) else run.group(), text)


def findings(payload: Any, field: str = "") -> Iterator[Finding]:
    """All card data in a decoded JSON payload: in strings, numbers, keys and names of fields, at any depth."""
    if isinstance(payload, dict):
        for key, value in payload.items():
            yield from _in_field(str(key), value, field)
    elif isinstance(payload, list):
        for index, value in enumerate(payload):
            yield from findings(value, f"{field}[{index}]")
    elif has_card_number(_written(payload)):
        yield Finding(field or "body", "looks like a card number; send the processor's payment token instead")


def _in_field(key: str, value: Any, parent: str) -> Iterator[Finding]:
    if has_card_number(key):
        yield Finding(f"{parent}.(a key)" if parent else "(a key)", "the field's name looks like a card number")
        return
    field = f"{parent}.{key}" if parent else key
    name = _compared(key)
    if name in _FORBIDDEN_NAMES or any(part in name for part in _FORBIDDEN_PARTS):
        yield Finding(field, "names card data, which is never accepted, whatever its value")
        return
    yield from findings(value, field)


def _compared(key: str) -> str:
    """A field's name without case and punctuation."""
    if key.isascii():
        return key.lower().translate(_PUNCTUATION)
    return "".join(character for character in unicodedata.normalize("NFKC", key).lower() if character.isalnum())


def _written(value: Any) -> str:
    """A JSON scalar as its digits are written; floats without exponent."""
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return "" if value is None or isinstance(value, bool) else str(value)


def _plain(text: str) -> str:
    """The text with digits of every script as ASCII digits, any dash as `-`, and without invisible characters."""
    if text.isascii():
        return text
    return "".join(_plain_character(character) for character in unicodedata.normalize("NFKC", text))


def _plain_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return character if character.isascii() else _SEPARATORS.get(unicodedata.category(character), character)


def _in_run(run: str, *, grouped: bool = True) -> bool:
    """Whether a row of digits and separators holds a card number: whole groups together, or a brand's anywhere.

    Linear in the row's length, as a body may be one long row: the Luhn sum of a window is a difference of two running sums.
    """
    groups = re.findall(r"\d+", run)
    digits = "".join(groups)
    if len(digits) < _SHORTEST:
        return False
    edges = set(accumulate(map(len, groups), initial=0)) if grouped else set[int]()
    sums = _running_sums(digits, 0), _running_sums(digits, 1)
    for start in range(len(digits) - _SHORTEST + 1):
        for end in range(start + _SHORTEST, min(start + _LONGEST, len(digits)) + 1):
            running = sums[(end - 1) % 2]
            if (running[end] - running[start]) % 10 or digits[start] == "0":
                continue
            if (start in edges and end in edges) or _BRANDS.fullmatch(digits, start, end):
                return True
    return False


def _running_sums(digits: str, parity: int) -> list[int]:
    """Luhn sums of every beginning of the digits, for numbers whose check digit is at an even (0) or odd (1) position (ISO/IEC 7812-1, annex B)."""
    return list(accumulate((int(digit) if index % 2 == parity else _DOUBLED[int(digit)] for index, digit in enumerate(digits)), initial=0))
