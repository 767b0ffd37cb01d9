#!/usr/bin/env python3
"""Works out every expected figure of the tables in this folder a second time, in decimal.

Columns whose name begins with "=" are expected values; "working" says how they come about. Without
an option the figures that stand in the tables are compared with the ones worked out here, and the
exit code is 1 if any differs. `--write` fills empty cells and touches no other.

This file and its siblings `derive_<subject>.py` share nothing with the Rust code but the tables. A
sibling holds a dictionary SUBJECTS like the one below: (file, heading) to a function that takes a row
and all tables of its file, and gives the columns it works out.
"""

import datetime
import decimal
import importlib
import pathlib
import sys
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal

decimal.getcontext().prec = 60
MODES = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
}
# Digits of the smallest coin, ISO 4217.
COIN = {"EUR": 2, "USD": 2, "CHF": 2, "JPY": 0, "KWD": 3}


def plain(value):
    """A decimal without exponent and without trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def to_digits(value, digits, mode):
    return value.quantize(Decimal(1).scaleb(-digits), rounding=MODES[mode])


def to_step(value, step, mode):
    """A whole number of seconds to a multiple of a step of seconds."""
    steps = (Decimal(value) / Decimal(step)).quantize(Decimal(1), rounding=MODES[mode])
    return int(steps) * step


def increment(seconds, step, minimum, mode):
    if seconds == 0:
        return 0
    return max(to_step(seconds, step * 60, mode), minimum * 60)


def money(quantity, rate, currency, mode):
    digits = COIN[currency]
    return format(to_digits(quantity * rate, digits, mode), "f")


def minutes_words(seconds):
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def rounding_values(row, _):
    value = Decimal(row["value"])
    below = value.quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    rest = abs(value - below) * 100
    out = {f"= {mode}": format(to_digits(value, 2, mode), "f") for mode in MODES}
    out["working"] = f"{below} and {plain(rest)} of a cent"
    return out


def amounts(row, _):
    quantity, rate = Decimal(row["quantity"]), Decimal(row["rate"])
    amount = money(quantity, rate, row["currency"], row["rounding"])
    exact = plain(quantity * rate)
    return {"= amount": amount, "working": f"{row['quantity']} x {row['rate']} = {exact}"}


def rule_of(name):
    """'= 15 up, at least 30' -> (15, 'up', 30)."""
    words = name.removeprefix("= ").replace(",", "").split()
    minimum = int(words[-1]) if "least" in words else 0
    return int(words[0]), words[1], minimum


def increments(row, _):
    seconds = int(row["minutes"]) * 60 if "minutes" in row else int(row["seconds"])
    out, steps = {}, set()
    for name in row:
        if name.startswith("= "):
            step, mode, minimum = rule_of(name)
            steps.add(step)
            value = increment(seconds, step, minimum, mode)
            out[name] = str(value // 60)
    parts = [f"{minutes_words(seconds)} / {step} = {plain(round(Decimal(seconds) / (step * 60), 4))}" for step in sorted(steps)]
    out["working"] = ", ".join(parts)
    return out


def refused_rules(row, _):
    step, minimum, seconds = int(row["step"]), int(row["minimum"]), int(row["seconds"])
    if step == 0:
        return {"= refusal": "zero step", "working": "no multiple of 0 minutes"}
    if minimum % step:
        return {"= refusal": "minimum off step", "working": f"{minimum} / {step} leaves {minimum % step}"}
    if seconds < 0:
        return {"= refusal": "negative", "working": "round both states and subtract"}
    return {"= refusal": "none", "working": "a lawful rule"}


def hours_read(row, _):
    hours = Decimal(row["hours"])
    if row["resolution"] == "hundredth_hour":
        exact = hours * 60
        minutes = to_digits(exact, 0, "half_up")
        return {"= seconds": str(int(minutes) * 60), "working": f"{plain(exact)} min, nearest {minutes}"}
    exact = hours * 3600
    return {"= seconds": str(to_digits(exact, 0, "half_up")), "working": f"{plain(exact)} s"}


def hours_refused(row, _):
    try:
        hours = Decimal(row["hours"])
    except decimal.InvalidOperation:
        return {"= refusal": "unreadable", "working": "no number"}
    if not hours.is_finite():
        return {"= refusal": "unreadable", "working": "no number"}
    if hours <= 0 or hours > 24:
        return {"= refusal": "out of range", "working": "more than 0 and at most 24"}
    return {"= refusal": "none", "working": "working time"}


def hours_printed(row, _):
    exact = Decimal(int(row["minutes"])) / 60
    shown = plain(to_digits(exact, int(row["decimals"]), row["rounding"]))
    return {"= hours": shown, "working": f"{row['minutes']} / 60 = {plain(round(exact, 6))}"}


KEY = ["customer", "contract", "project", "task", "worker", "role", "service item"]


def rank(row):
    scopes = ["customer", "contract", "project", "task"]
    scope = max([0] + [n + 1 for n, name in enumerate(scopes) if row[name]])
    person = 2 if row["worker"] else 1 if row["role"] else 0
    return scope, person, 1 if row["service item"] else 0


def day(text):
    return datetime.date.fromisoformat(text)


def choose(card, work):
    fits = [r for r in card if all(not r[k] or r[k] == work[k] for k in KEY)]
    if not fits:
        return "no row", "no row fits"
    best = max(rank(r) for r in fits)
    level = [r for r in fits if rank(r) == best]
    asked = day(work["day"])
    here = [r for r in level if day(r["from"]) <= asked and (not r["to"] or asked < day(r["to"]))]
    names = ", ".join(r["row"] for r in here)
    if len(here) == 1:
        return here[0]["rate"], f"{len(fits)} of {len(card)} rows fit, most specific on the day: {names}"
    if here:
        return "tie", f"{names} with equal right"
    return "gap", f"{', '.join(r['row'] for r in level)} decide and do not cover the day"


def rate_asked(row, tables):
    card = tables[f"Card: {row['card']}"]
    outcome, why = choose(card, row)
    return {"= outcome": outcome, "working": why}


def priced(row, tables):
    terms = next(t for t in tables["Terms"] if t["contract"] == row["contract"])
    seconds = int(row["seconds"])
    bills = terms["kind"] == "time_and_materials" and row["billable"] == "yes"
    billable, steps = seconds, []
    if bills and terms["step"]:
        billable = increment(seconds, int(terms["step"]), int(terms["minimum"] or 0), terms["direction"])
        steps.append(f"{minutes_words(seconds)} to {minutes_words(billable)}")
    exact = Decimal(billable) / 3600
    quantity = to_digits(exact, int(terms["decimals"]), terms["quantity rounding"])
    steps.append(f"{minutes_words(billable)} = {plain(round(exact, 6))} h")
    out = {"= pays": "bill" if bills else "cost", "= quantity": plain(quantity)}
    if bills:
        rate = Decimal(row["bill rate"])
        out["= amount"] = money(quantity, rate, terms["currency"], terms["amount rounding"])
        steps.append(f"{plain(quantity)} x {row['bill rate']} = {plain(quantity * rate)}")
    else:
        out["= amount"] = money(Decimal(0), Decimal(0), terms["currency"], "half_up")
    if row["cost rate"]:
        # Multiplied first and divided last: hours are never rounded on the way to cost.
        rate = Decimal(row["cost rate"])
        exact = rate * seconds / 3600
        out["= cost"] = format(to_digits(exact, COIN[row["cost currency"]], "half_up"), "f")
        steps.append(f"cost {minutes_words(seconds)} at {row['cost rate']} = {plain(round(exact, 6))}")
    else:
        out["= cost"] = money(Decimal(0), Decimal(0), terms["currency"], "half_up")
    out["working"] = "; ".join(steps)
    return out


def posting_date(row, tables):
    calendar = [p for p in tables["Calendars"] if p["calendar"] == row["calendar"]]
    work = day(row["work date"])
    own = [p for p in calendar if day(p["first"]) <= work <= day(p["last"])]
    if own and own[0]["open"] == "yes":
        return {"= posting date": str(work), "working": f"{own[0]['period']} is open"}
    why = f"{own[0]['period']} is closed" if own else "no period holds the day"
    if row["late work"] == "hold":
        return {"= posting date": "hold", "working": f"{why}, the contract says hold"}
    later = sorted(day(p["first"]) for p in calendar if p["open"] == "yes" and day(p["first"]) > work)
    if not later:
        return {"= posting date": "hold", "working": f"{why}, none is open later"}
    return {"= posting date": str(later[0]), "working": f"{why}, the next open one begins {later[0]}"}


def refused(row, tables):
    wrong = [name.strip() for name in row["wrong"].split(";")]
    order = tables["Order of looking"]
    found = [o for o in order if o["wrong"] in wrong]
    unknown = [o["not to be estimated"] for o in found if o["not to be estimated"]]
    estimate = unknown[0] if unknown else money(Decimal(4500) / 3600, Decimal(150), "EUR", "half_up")
    return {"= code": found[0]["code"], "= estimate": estimate, "working": f"first in order: {found[0]['wrong']}"}


SUBJECTS = {
    ("rounding.md", "Amounts to the cent"): rounding_values,
    ("rounding.md", "Printed quantity times printed rate"): amounts,
    ("increments.md", "Quarter hours"): increments,
    ("increments.md", "Six-minute units"): increments,
    ("increments.md", "Times that are no whole minutes"): increments,
    ("increments.md", "Rules without meaning"): refused_rules,
    ("hours.md", "Hours as a source gives them"): hours_read,
    ("hours.md", "Hours that are no working time"): hours_refused,
    ("hours.md", "Hours as printed"): hours_printed,
    ("rates.md", "Work"): rate_asked,
    ("pricing.md", "Work"): priced,
    ("posting_dates.md", "Work"): posting_date,
    ("refusals.md", "Cases"): refused,
}


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def read(path):
    """The lines of a file, and its tables: heading -> list of (line number, names, row)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    tables, heading, names = {}, "", None
    for number, line in enumerate(lines):
        if line.startswith("## "):
            heading, names = line[3:].strip(), None
        elif not line.startswith("|"):
            names = None
        elif names is None:
            names = cells(line)
        elif set(line) <= set("|- :"):
            pass
        else:
            row = dict(zip(names, cells(line), strict=True))
            tables.setdefault(heading, []).append((number, names, row))
    return lines, tables


def subjects(folder):
    """The subjects of this file and of its siblings."""
    known = dict(SUBJECTS)
    for path in sorted(folder.glob("derive_*.py")):
        known.update(importlib.import_module(path.stem).SUBJECTS)
    return known


def main():
    folder = pathlib.Path(__file__).resolve().parent
    known = subjects(folder)
    write, figures, wrong, seen = "--write" in sys.argv, 0, 0, set()
    for path in sorted(folder.glob("*.md")):
        if path.name == "README.md":
            continue
        lines, tables = read(path)
        rows = {heading: [row for _, _, row in table] for heading, table in tables.items()}
        for heading, table in tables.items():
            derive = known.get((path.name, heading))
            if derive is None:
                continue
            seen.add((path.name, heading))
            for number, names, row in table:
                for name, value in derive(row, rows).items():
                    if write and not row[name]:
                        row[name] = value
                    elif row[name] != value:
                        wrong += 1
                        print(f"{path.name}:{number + 1} {name}: stands '{row[name]}', worked out '{value}'")
                    figures += name.startswith("= ")
                lines[number] = "| " + " | ".join(row[name] for name in names) + " |"
        if write:
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for missing in sorted(set(known) - seen):
        wrong += 1
        print(f"{missing[0]} has no table '{missing[1]}'")
    print(f"{figures} figures worked out, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
