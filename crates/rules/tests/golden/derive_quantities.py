"""Works out quantities.md: time shared out over a scope, printed quantities with what is carried,
days, months. Fractions throughout; nothing is rounded but where a rule says so."""

import calendar
import datetime
from decimal import Decimal
from fractions import Fraction

from derive import day, increment, plain


def whole(value, mode):
    """A fraction, not negative, to a whole number."""
    below, rest = divmod(value, 1)
    up = {
        "up": rest > 0,
        "down": False,
        "half_up": rest >= Fraction(1, 2),
        "half_even": rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1),
    }[mode]
    return int(below) + int(up)


def number(fraction):
    """A fraction with a finite decimal form, as text."""
    return plain(Decimal(fraction.numerator) / Decimal(fraction.denominator))


def about(fraction):
    return plain(round(Decimal(fraction.numerator) / Decimal(fraction.denominator), 4))


def id_order(name):
    return (0, int(name), name) if name.isdigit() else (1, 0, name)


def work_order(entry):
    """Day, then start, else approval; what has neither comes last; then the source's id."""
    start = f"{entry['day']} {entry['start']}" if entry["start"] else ""
    moment = start or entry.get("approved", "")
    return entry["day"], (1, "") if not moment else (0, moment), id_order(entry["id"])


SCOPE = {
    "entry": ["id"],
    "worker_day_task": ["worker", "day", "project", "task"],
    "worker_day_customer": ["worker", "day", "customer"],
    "line": ["line"],
}


def case_of(row, tables, heading):
    return next(case for case in tables[heading] if case["case"] == row["case"])


def scoped(row, tables):
    case = case_of(row, tables, "Scopes: cases")
    mine = [e for e in tables["Scopes: entries"] if e["case"] == row["case"]]
    same = [e for e in mine if all(e[k] == row[k] for k in SCOPE[case["scope"]])]
    before = 0
    for entry in sorted(same, key=work_order):
        if entry is row:
            break
        before += int(entry["minutes"])
    after = before + int(row["minutes"])
    step, least, mode = int(case["step"]), int(case["minimum"]), case["direction"]
    high, low = (increment(m * 60, step, least, mode) // 60 for m in (after, before))
    return {"= billable": str(high - low), "working": f"{after} gives {high}, {before} gives {low}"}


def minutes_list(text):
    return [int(part) for part in text.split(",")] if text else []


def shares(minutes, row):
    out, total, paid = [], 0, 0
    for one in minutes:
        total += one
        now = increment(total * 60, int(row["step"]), int(row["minimum"]), row["direction"]) // 60
        out.append(now - paid)
        paid = now
    return out


def corrected(row, _):
    old, new = shares(minutes_list(row["old"]), row), shares(minutes_list(row["new"]), row)
    size = max(len(old), len(new))
    old += [0] * (size - len(old))
    new += [0] * (size - len(new))
    words = lambda values: " + ".join(map(str, values))
    return {
        "= deltas": ", ".join(str(n - o) for o, n in zip(old, new)),
        "= in all": str(sum(new) - sum(old)),
        "working": f"was {words(old)}, is {words(new)}",
    }


UNIT_SECONDS = {"hour": 3600, "minute": 60}


class Bucket:
    """The entries at one rate: what is exact and what is printed, both in steps."""

    def __init__(self):
        self.exact, self.printed = {}, {}

    def change(self, changes, mode, issued, order):
        """`changes`: entry to its exact quantity in steps; nothing or zero withdraws it."""
        for name in changes:
            self.exact.pop(name, None)
            self.printed.pop(name, None)
        total, sum_printed = sum(self.exact.values()), sum(self.printed.values())
        untouched = set(self.exact)
        for name, exact in changes.items():
            if not exact:
                continue
            total += exact
            self.exact[name] = exact
            wanted = whole(total, mode) - sum_printed
            self.printed[name] = min(max(wanted, self.least(name)), self.most(name))
            sum_printed += self.printed[name]
        missing = whole(Fraction(total), mode) - sum_printed
        while missing:
            sign = 1 if missing > 0 else -1
            can = [n for n in untouched - issued if self.may(n, sign)]
            if not can:
                break
            heir = max(can, key=lambda n: (sign * (self.exact[n] - self.printed[n]), order.index(n)))
            self.printed[heir] += sign
            missing -= sign
        return missing

    def least(self, name):
        low = self.exact[name] - 2
        return max(0, -((-low) // 1))

    def most(self, name):
        return (self.exact[name] + 2) // 1

    def may(self, name, sign):
        return self.least(name) <= self.printed[name] + sign <= self.most(name)


def printed(row, tables):
    case = case_of(row, tables, "Printed: cases")
    step = Fraction(1, 10 ** int(case["decimals"]))
    seconds = UNIT_SECONDS[case["unit"]]
    mode, buckets, rate_of, issued, order = case["rounding"], {}, {}, set(), []
    waiting = {}
    for event in tables["Printed: events"]:
        if event["case"] != row["case"]:
            continue
        issued |= {name.strip() for name in event["issued before"].split(",") if name.strip()}
        changes = {}
        for part in event["changes"].split(","):
            name, minutes = part.split()
            order += [] if name in order else [name]
            changes[name] = Fraction(int(minutes) * 60, seconds) / step
        # The rows name their entries in the order of the work.
        order.sort()
        for name in sorted(changes):
            if name in rate_of and rate_of[name] != event["rate"]:
                old = rate_of[name]
                waiting[old] = buckets[old].change({name: None}, mode, issued, order)
            rate_of[name] = event["rate"]
        bucket = buckets.setdefault(event["rate"], Bucket())
        if case["residual"] == "carry":
            changes = {name: changes[name] for name in sorted(changes)}
            waiting[event["rate"]] = bucket.change(changes, mode, issued, order)
        else:
            for name, exact in changes.items():
                bucket.exact[name], bucket.printed[name] = exact, whole(exact, mode)
                if not exact:
                    del bucket.exact[name], bucket.printed[name]
        if event is row:
            break
    everything = {name: value for b in buckets.values() for name, value in b.printed.items()}
    total = Fraction(sum(b for b in everything.values()))
    sums = [
        f"{'at ' + rate + ': ' if len(buckets) > 1 else ''}{about(sum(b.exact.values()) * step)} -> {number(sum(b.printed.values()) * step)}"
        for rate, b in sorted(buckets.items())
    ]
    return {
        "= printed": ", ".join(f"{n} {number(everything[n] * step)}" for n in sorted(everything)),
        "= sum": number(total * step),
        "= waiting": number(sum(waiting.values()) * step) if any(waiting.values()) else "0",
        "working": "; ".join(sums),
    }


def days_shared(row, tables):
    case = case_of(row, tables, "Days: cases")
    mine = [e for e in tables["Days: entries"] if e["case"] == row["case"]]
    same = sorted((e for e in mine if (e["worker"], e["day"]) == (row["worker"], row["day"])), key=work_order)
    step, cap = Fraction(case["day step"]), Fraction(case["cap"])
    length = Fraction(case["day hours"]) * 60

    def of(minutes):
        return min(cap, whole(Fraction(minutes) / length / step, case["rounding"]) * step)

    before = sum(int(e["minutes"]) for e in same[: same.index(row)])
    after = before + int(row["minutes"])
    high, low = of(after), of(before)
    return {
        "= days": number(high - low),
        "working": f"{after} min / {number(length)} = {about(after / length)} gives {number(high)}, before {number(low)}",
    }


WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def counts(row, date):
    if row["basis"] == "calendar_days":
        return True
    week = row["working week"].split() or WEEK[:5]
    holidays = [day(text) for text in row["holidays"].split()]
    return WEEK[date.weekday()] in week and date not in holidays


def month_days(row, date):
    size = calendar.monthrange(date.year, date.month)[1]
    return sum(counts(row, datetime.date(date.year, date.month, n)) for n in range(1, size + 1))


def months_covered(row, _):
    date, last = day(row["first"]), day(row["last"])
    digits = int(row["decimals"])
    exact, paid, parts, why = Fraction(0), Fraction(0), [], []
    while date <= last:
        after = datetime.date(date.year + date.month // 12, date.month % 12 + 1, 1)
        end = min(last, after - datetime.timedelta(days=1))
        within = sum(counts(row, datetime.date.fromordinal(n)) for n in range(date.toordinal(), end.toordinal() + 1))
        of = month_days(row, date)
        exact += Fraction(within, of)
        now = Fraction(whole(exact * 10**digits, row["rounding"]), 10**digits)
        parts.append(f"{date:%Y-%m} {number(now - paid)}")
        why.append(f"{within}/{of}")
        paid, date = now, after
    return {"= months": ", ".join(parts), "= in all": number(paid), "working": " + ".join(why) + f" = {about(exact)}"}


def months_worked(row, _):
    """The first entry of a day carries the day."""
    digits = int(row["decimals"])
    seen, in_month, out = set(), {}, []
    for text in row["days worked"].split():
        date = day(text)
        if date in seen or not counts(row, date):
            out.append("0")
            continue
        seen.add(date)
        key = (date.year, date.month)
        before = in_month.get(key, 0)
        in_month[key] = before + 1
        size = month_days(row, date)
        high, low = (whole(Fraction(n * 10**digits, size), row["rounding"]) for n in (before + 1, before))
        out.append(number(Fraction(high - low, 10**digits)))
    why = [f"{n} of {month_days(row, datetime.date(y, m, 1))} days" for (y, m), n in in_month.items()]
    return {"= shares": ", ".join(out), "working": "; ".join(why) or "no day counts"}


# UN/ECE Recommendation 20.
CODES = {"hour": "HUR", "minute": "MIN", "working_day": "E49", "day": "DAY", "month": "MON"}


def unit_codes(row, _):
    return {"= code": CODES[row["unit"]], "working": "list of UN/ECE Recommendation 20"}


def terms_refused(row, _):
    step, minimum, decimals = int(row["step"]), int(row["minimum"]), int(row["decimals"])
    hours, day_step, cap = (Decimal(row[name]) for name in ("day hours", "day step", "cap"))
    finest = int(row["erp decimals"])
    tests = [
        (step == 0, "zero step", "no multiple of 0 minutes"),
        (step and minimum % step, "minimum off step", f"{minimum} is no multiple of {step}"),
        (decimals > 6, "too fine", f"{decimals} decimals, 6 are kept"),
        (not 0 < hours <= 24, "day hours", f"a day of {plain(hours)} h"),
        (hours * 3600 % 1 != 0, "day hours", f"{plain(hours)} h is no whole number of seconds"),
        (day_step not in (Decimal("0.25"), Decimal("0.5"), Decimal(1)), "day step", f"a step of {plain(day_step)}"),
        (cap <= 0 or cap % day_step != 0, "cap", f"{plain(cap)} is no multiple of {plain(day_step)}"),
        (row["working week"] == "none" and row["basis"] == "working_days", "no working day", "a week without working days"),
        (decimals > finest, "finer than the ERP", f"{decimals} against {finest} decimals"),
    ]
    for wrong, name, why in tests:
        if wrong:
            return {"= refusal": name, "working": why}
    return {"= refusal": "none", "working": "lawful terms"}


SUBJECTS = {
    ("quantities.md", "Scopes: entries"): scoped,
    ("quantities.md", "Corrections"): corrected,
    ("quantities.md", "Printed: events"): printed,
    ("quantities.md", "Days: entries"): days_shared,
    ("quantities.md", "Months covered"): months_covered,
    ("quantities.md", "Months by days worked"): months_worked,
    ("quantities.md", "Codes of units"): unit_codes,
    ("quantities.md", "Terms without meaning"): terms_refused,
}
