"""Works out periods.md: posting dates day by day, with nothing but a calendar to look at."""

import datetime
from decimal import Decimal

from derive import COIN, day


def open_on(calendar, date, objects):
    for period in calendar:
        if day(period["first"]) <= date <= day(period["last"]):
            closed = [name.strip() for name in period["closed for"].split(",")]
            return "everything" not in closed and not set(objects) & set(closed)
    return False


def posting(row, tables):
    names = [name.strip() for name in row["calendars"].split("+")]
    calendars = [[p for p in tables["Calendars"] if p["calendar"] == name] for name in names]
    objects = row["objects"].split(", ")
    work, today = day(row["work date"]), day(row["today"])

    def all_open(date):
        return all(open_on(calendar, date, objects) for calendar in calendars)

    if all_open(work):
        return {"= posting date": str(work), "working": "open on the day of the work"}
    if row["policy"] == "hold":
        return {"= posting date": "hold", "working": "closed on the day of the work, and the policy says hold"}
    days = (work + datetime.timedelta(days=n) for n in range(1, 800))
    first = next((date for date in days if all_open(date)), None)
    if first is None:
        return {"= posting date": "hold", "working": "no later day is open" + (" in both" if len(names) > 1 else "")}
    if row["policy"] == "today" and today > first and all_open(today):
        return {"= posting date": str(today), "working": f"{first} is the first open day, today is later and open"}
    return {"= posting date": str(first), "working": f"{first} is the first open day after {work}"}


DECIDES = {
    "price": "work",
    "overtime": "work",
    "labour_law": "work",
    "margin": "work",
    "ledger": "posting",
    "tax": "tax point",
}


def decides(row, _):
    kind = DECIDES[row["question"]]
    return {"= date": row[kind] or "not known", "working": f"the {kind} date"}


def contradictions(row, _):
    dates = {name: day(row[name]) for name in ("work", "submission", "approval", "posting") if row[name]}
    if "submission" in dates and "approval" in dates and dates["approval"] < dates["submission"]:
        return {"= refusal": "approved before submitted", "working": "nobody approves what was not submitted"}
    if "posting" in dates and dates["posting"] < dates["work"]:
        return {"= refusal": "posted before worked", "working": "a posting date is the work date or later"}
    return {"= refusal": "none", "working": "dates agree"}


def month(text):
    return text[:7]


def moved(entries, currency, keep):
    mine = [e for e in entries if keep(e)]
    amount = sum((Decimal(e["amount"]) for e in mine), Decimal(0))
    minutes = sum(int(e["minutes"]) for e in mine)
    return len(mine), minutes, format(amount, f".{COIN[currency]}f")


def report(row, tables):
    entries = tables["Out of period: entries"]
    key = (row["work month"], row["posting month"], row["currency"])
    count, minutes, amount = moved(
        entries, row["currency"], lambda e: (month(e["work date"]), month(e["posting date"]), e["currency"]) == key
    )
    return {"= entries": str(count), "= minutes": str(minutes), "= amount": amount, "working": "entries of both months"}


def by_month(row, tables):
    entries = tables["Out of period: entries"]
    out = {}
    for name in ("work", "posting"):
        _, minutes, amount = moved(
            entries, row["currency"], lambda e: (month(e[f"{name} date"]), e["currency"]) == (row["month"], row["currency"])
        )
        out[f"= minutes by {name}"], out[f"= amount by {name}"] = str(minutes), amount
    out["working"] = "margin by work month, ledger by posting month"
    return out


def calendars_refused(row, _):
    spans = [tuple(map(day, part.split(".."))) for part in row["periods"].split()]
    if any(last < first for first, last in spans):
        return {"= refusal": "backwards", "working": "a period ends before it begins"}
    spans.sort()
    if any(one[1] >= two[0] for one, two in zip(spans, spans[1:])):
        return {"= refusal": "overlap", "working": "one day in two periods"}
    return {"= refusal": "none", "working": "each day in one period at most"}


SUBJECTS = {
    ("periods.md", "Posting dates"): posting,
    ("periods.md", "Which date decides"): decides,
    ("periods.md", "Dates that contradict each other"): contradictions,
    ("periods.md", "Out of period: report"): report,
    ("periods.md", "Out of period: by month"): by_month,
    ("periods.md", "Calendars without meaning"): calendars_refused,
}
