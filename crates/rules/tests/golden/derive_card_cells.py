"""What a cell of a rate card means, worked out a second time: every lawful reading is tried, and only
a cell with exactly one meaning is taken."""

import datetime
import re
from decimal import Decimal

from derive import plain

# (what separates thousands, what separates decimals); the sign of thousands that every land can read.
READINGS = {"point": [",", "'", " "], "comma": [".", "'", " "]}


def meanings(text, style):
    """All values of the text where decimals stand behind a point, or behind a comma."""
    mark = "." if style == "point" else ","
    out = set()
    whole, _, rest = text.removeprefix("-").partition(mark)
    if mark in text and not re.fullmatch("[0-9]+", rest):
        return out
    forms = [("[0-9]+", "")] + [(f"[1-9][0-9]{{0,2}}({re.escape(s)}[0-9]{{3}})+", s) for s in READINGS[style]]
    for form, separator in forms:
        if re.fullmatch(form, whole):
            digits = whole.replace(separator, "") if separator else whole
            value = Decimal(f"{digits}.{rest or 0}")
            out.add(-value if text.startswith("-") else value)
    return out


def number(row, _):
    text = row["text"].replace("_", " ")
    styles = [row["stated"]] if row["stated"] else ["point", "comma"]
    found = set().union(*(meanings(text, style) for style in styles))
    listed = " or ".join(plain(v) for v in sorted(found)) or "nothing"
    if not found:
        outcome = "not a number"
    elif len(found) > 1:
        outcome = "ambiguous"
    else:
        value = found.pop()
        fine = -value.normalize().as_tuple().exponent > 6
        large = abs(value) * 10**6 >= 2**63
        outcome = "too fine" if fine else "too large" if large else plain(value)
    return {"= value": outcome, "working": f"can mean {listed}"}


def calendar(year, month, day_):
    try:
        return datetime.date(int(year), int(month), int(day_))
    except ValueError:
        return None


def date(row, _):
    text = row["text"]
    found = set()
    if m := re.fullmatch(r"(\d{4})([-/])(\d\d)\2(\d\d)", text):
        found.add(calendar(m[1], m[3], m[4]))
    if m := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        found.add(calendar(m[3], m[2], m[1]))
    if m := re.fullmatch(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4})", text):
        if row["stated"] in ("", "day first"):
            found.add(calendar(m[4], m[3], m[1]))
        if row["stated"] in ("", "month first"):
            found.add(calendar(m[4], m[1], m[3]))
    found.discard(None)
    listed = " or ".join(str(d) for d in sorted(found)) or "nothing"
    outcome = "not a date" if not found else "ambiguous" if len(found) > 1 else str(found.pop())
    return {"= date": outcome, "working": f"can mean {listed}"}


def code(row, _):
    text = row["text"]
    if text.startswith("'"):
        return {"= code": text[1:], "working": "the apostrophe says that text follows"}
    if text[:1] in ("=", "+", "-", "@"):
        return {"= code": "looks like a formula", "working": f"a spreadsheet would compute what follows {text[0]}"}
    return {"= code": text, "working": "text as it stands"}


def written(row, _):
    value = Decimal(row["rate"])
    digits = max(2, -value.normalize().as_tuple().exponent)
    digits = 4 if digits == 3 else digits
    return {"= text": format(value.quantize(Decimal(1).scaleb(-digits)), "f"), "working": f"{digits} decimals: never three, which could be thousands"}


SUBJECTS = {
    ("card_cells.md", "Numbers"): number,
    ("card_cells.md", "Dates"): date,
    ("card_cells.md", "Codes"): code,
    ("card_cells.md", "Rates as written"): written,
}
