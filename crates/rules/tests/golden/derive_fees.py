"""Works out `fees.md` a second time: walks day by day through the time asked for."""

import calendar
import datetime
from decimal import Decimal

from derive import COIN, to_digits

ONE_DAY = datetime.timedelta(days=1)


def day(text):
    return datetime.date.fromisoformat(text)


def due(row, tables):
    start, end = day(row["from"]), day(row["to"])
    found, words = [], []
    for one in (i for i in tables["Instalments"] if i["scenario"] == row["scenario"]):
        if start <= day(one["date"]) < end:
            found.append((day(one["date"]), one["instalment"], Decimal(one["amount"])))
    for fee in (f for f in tables["Monthly fees"] if f["scenario"] == row["scenario"]):
        begins, ends = day(fee["from"]), day(fee["to"]) if fee["to"] else datetime.date.max
        month = begins.replace(day=1)
        while month < end and month < ends:
            length = calendar.monthrange(month.year, month.month)[1]
            days = [month + ONE_DAY * n for n in range(length)]
            covered = [d for d in days if begins <= d < ends]
            wished = month.replace(day=min(int(fee["day"]), length))
            when = min(max(wished, covered[0]), covered[-1])
            amount = Decimal(fee["amount"])
            if len(covered) < length and fee["partial months"] == "by_days":
                words.append(f"{fee['amount']} x {len(covered)} / {length}")
                amount = to_digits(amount * len(covered) / length, COIN[fee["currency"]], "half_up")
            if start <= when < end:
                found.append((when, f"{fee['fee']}/{month.year}-{month.month:02}", amount))
            month = days[-1] + ONE_DAY
    found.sort(key=lambda x: (x[0], x[1]))
    total = sum((amount for _, _, amount in found), Decimal(0))
    return {
        "= due": ", ".join(f"{when} {name} {amount}" for when, name, amount in found) or "nothing",
        "= total": str(total) if found else "0",
        "working": ("; ".join(words) + "; " if words else "") + f"{len(found)} items",
    }


SUBJECTS = {("fees.md", "Due"): due}
