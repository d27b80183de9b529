"""cron's five fields, and the same moments as systemd's calendar writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_ITEM = re.compile(r"(?:\*|(?P<first>\d+)(?:-(?P<last>\d+))?)(?:/(?P<step>\d+))?", re.ASCII)


@dataclass(frozen=True)
class Field:
    """One of the five: its name and the numbers it may hold."""

    name: str
    least: int
    most: int

    def values(self, text: str) -> list[int]:
        """The numbers that a field's text stands for; raises ValueError, naming what is wrong."""
        found: set[int] = set()
        for item in text.split(","):
            match = _ITEM.fullmatch(item)
            if match is None:
                raise ValueError(f"{self.name} '{text}': write *, 5, 1-5, 1,15 or */10")
            first = self.least if match["first"] is None else int(match["first"])
            open_end = match["first"] is None or (match["step"] and match["last"] is None)
            last = self.most if open_end else int(match["last"] or first)
            step = int(match["step"] or 1)
            if not (self.least <= first <= last <= self.most and step):
                raise ValueError(f"{self.name} '{text}': from {self.least} to {self.most}")
            found.update(range(first, last + 1, step))
        return sorted(found)


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12),
    Field("day of week", 0, 7),
)


def parse(text: str) -> list[list[int]]:
    """The numbers of each field; raises ValueError where the text is no schedule of cron."""
    given = text.split()
    if len(given) != len(FIELDS):
        raise ValueError(f"'{text}' has {len(given)} fields; five are needed, such as `0 3 * * *` (daily at three)")
    return [field.values(value) for field, value in zip(FIELDS, given, strict=True)]


def checked(text: str) -> str:
    """The five fields with one blank between them, for a line of a crontab; raises ValueError where it is no schedule."""
    parse(text)
    return " ".join(text.split())


def calendar(text: str) -> str:
    """OnCalendar= of a systemd timer: `Mon,Tue *-*-* 03:00:00`.

    Raises ValueError for a day of month together with a day of week: cron means either, systemd both.
    """
    minute, hour, day, month, weekday = parse(text)
    _, _, days, months, weekdays = text.split()
    if not days.startswith("*") and not weekdays.startswith("*"):
        raise ValueError(f"'{text}': a systemd timer can't mean either a day of month or a day of week; give one")
    names = ",".join(_DAYS[number] for number in sorted({number % 7 for number in weekday}))
    of_week = "" if weekdays == "*" else f"{names} "
    date = f"*-{'*' if months == '*' else _numbers(month)}-{'*' if days == '*' else _numbers(day)}"
    return f"{of_week}{date} {_numbers(hour)}:{_numbers(minute)}:00"


def _numbers(values: list[int]) -> str:
    return ",".join(f"{value:02d}" for value in values)
