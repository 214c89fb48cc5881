"""EventBridge's schedule expressions: `rate(5 minutes)` and `cron(0 12 ? * MON-FRI *)`, in UTC ("Schedule expressions", EventBridge)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_LAST_YEAR = 2199


class ExpressionError(ValueError):
    """No schedule that EventBridge takes."""


Next = Callable[[datetime], datetime | None]
"""When a schedule comes next after a time; None when never more."""


def parse(expression: str) -> Next:
    """The schedule of an expression; raises ExpressionError."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression):
        number = int(found[1])
        if number < 1 or (number == 1) == bool(found[3]):
            raise ExpressionError(f"{expression}: a rate is `1 minute` or `<2 or more> minutes`, and the same with hours and days")
        step = timedelta(seconds=number * _SECONDS[found[2]])
        return lambda after: after + step
    if found := re.fullmatch(r"cron\((.+)\)", expression):
        return _cron(found[1], expression).after
    raise ExpressionError(f"{expression}: neither `rate(...)` nor `cron(...)`")


@dataclass(frozen=True)
class _Cron:
    minutes: list[int]
    hours: list[int]
    months: set[int]
    years: set[int]
    is_day: Callable[[date], bool]

    def after(self, after: datetime) -> datetime | None:
        moment = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = moment.date()
        # Nothing recurs less often than a leap day does on one weekday, which is within 40 years.
        for _ in range(366 * 41):
            if day.year in self.years and day.month in self.months and self.is_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                        if found >= moment:
                            return found
            day += timedelta(days=1)
        return None


def _cron(fields: str, expression: str) -> _Cron:
    parts = fields.split()
    if len(parts) != 6:
        raise ExpressionError(f"{expression}: a cron expression has six fields: minutes, hours, day of month, month, day of week, year")
    minutes, hours, day_of_month, month, day_of_week, year = (part.upper() for part in parts)
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ExpressionError(f"{expression}: one of day of month and day of week must be `?`, and not both")
    try:
        is_day = _in_month(day_of_month) if day_of_week == "?" else _in_week(day_of_week)
        return _Cron(
            sorted(_numbers(minutes, 0, 59)),
            sorted(_numbers(hours, 0, 23)),
            _numbers(month, 1, 12, _MONTHS),
            _numbers(year, 1970, _LAST_YEAR),
            is_day,
        )
    except ValueError as error:
        raise ExpressionError(f"{expression}: {error}") from None


def _numbers(field: str, least: int, most: int, names: dict[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        low = least if first == "*" else _number(first, names)
        high = _number(last, names) if dash else (most if first == "*" or step else low)
        if not least <= low <= most or not least <= high <= most:
            raise ValueError(f"{part} is not within {least} to {most}")
        if step and int(step) < 1:
            raise ValueError(f"{part}: a step is at least 1")
        # A range of days or months may run over the end: FRI-MON.
        span_numbers = range(low, high + 1) if low <= high else [*range(low, most + 1), *range(least, high + 1)]
        found |= set(span_numbers[:: int(step or 1)])
    return found


def _number(text: str, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(f"{text!r} is no value here")
    return int(text)


def _in_month(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: day.day == _length(day)
    if found := re.fullmatch(r"(\d+|L)W", field):
        return lambda day: day.day == _weekday_near(day, found[1])
    days = _numbers(field, 1, 31)
    return lambda day: day.day in days


def _in_week(field: str) -> Callable[[date], bool]:
    if found := re.fullmatch(r"(\w+)#([1-5])", field):
        wanted, nth = _number(found[1], _DAYS), int(found[2])
        return lambda day: _day_of_week(day) == wanted and (day.day + 6) // 7 == nth
    if found := re.fullmatch(r"(\w+)L", field):
        last = _number(found[1], _DAYS)
        return lambda day: _day_of_week(day) == last and day.day + 7 > _length(day)
    days = {7} if field == "L" else _numbers(field, 1, 7, _DAYS)
    return lambda day: _day_of_week(day) in days


def _day_of_week(day: date) -> int:
    """1 for Sunday, as EventBridge counts."""
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday_near(day: date, wanted: str) -> int:
    """The weekday of `day`'s month that is nearest to a day of it, and never in another month."""
    length = _length(day)
    number = length if wanted == "L" else min(int(wanted), length)
    weekday = date(day.year, day.month, number).weekday()
    if weekday == 5:
        return number - 1 if number > 1 else number + 2
    if weekday == 6:
        return number + 1 if number < length else number - 2
    return number
