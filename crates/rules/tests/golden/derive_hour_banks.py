"""Works out `hour_banks.md` a second time: plays each scenario from its beginning for every row.

Hours are counted in hundredths, one by one, out of the buckets. A contract that charges late time to the
current month has its closed months frozen here: what was worked out at closing is kept as it was.
"""

import datetime
from decimal import Decimal

from derive import COIN, plain, to_digits
from derive_limits import Refused

ZERO = Decimal(0)


def day(text):
    return datetime.date.fromisoformat(text)


def units(text):
    value = Decimal(text) * 100
    if value != int(value):
        raise ValueError(text)
    return int(value)


def hours(count):
    return plain(Decimal(count) / 100)


class Bank:
    def __init__(self, scenario, tables):
        self.terms = dict(next(b for b in tables["Banks"] if b["scenario"] == scenario))
        self.months, self.items = [], {}

    # The months from the first one on, out of their logs of (item, hundredths).

    def work_out(self):
        """Per month its figures, and per use how many hundredths were drawn and how many over."""
        carried, out = [], []
        for month in self.months:
            terms, bag = month["terms"], [dict(c) for c in carried]
            rolled_in = sum(c["left"] for c in bag)
            own = {"left": units(terms["allowance"]) + month["given back"], "lives": None}
            queue = bag + [own] if terms["order"] == "oldest_first" else [own] + bag[::-1]
            uses = []
            for item, count in month["log"]:
                drawn = 0
                for bucket in queue:
                    while bucket["left"] and drawn < count:
                        bucket["left"] -= 1
                        drawn += 1
                uses.append((item, drawn, count - drawn))
            from_own = units(terms["allowance"]) + month["given back"] - own["left"]
            from_rolled = rolled_in - sum(c["left"] for c in bag)
            carried, lapsed = [], 0
            ends = terms["ends"] and day(terms["ends"]) <= month["next"]
            for bucket in bag:
                lives = bucket["lives"] - 1
                if lives > 0 and not ends:
                    carried.append({"left": bucket["left"], "lives": lives})
                else:
                    lapsed += bucket["left"]
            keeps = 0
            if terms["carry at most"] and int(terms["life"]) > 0 and not ends:
                keeps = min(own["left"], units(terms["carry at most"]))
            carried.append({"left": keeps, "lives": int(terms["life"] or 0)})
            lapsed += own["left"] - keeps
            carried = [c for c in carried if c["left"]]
            overage = sum(u[2] for u in uses)
            figures = {
                "rolled in": rolled_in,
                "given back": month["given back"],
                "available": rolled_in + units(terms["allowance"]) + month["given back"],
                "used": sum(c for _, c in month["log"]),
                "from rolled": from_rolled,
                "from current": from_own,
                "overage": overage,
                "rolled out": sum(c["left"] for c in carried),
                "expired": lapsed,
                "next": [dict(c) for c in carried],
                "uses": uses,
            }
            if month["frozen"] is not None:
                figures = month["frozen"]
                carried = [dict(c) for c in figures["next"]]
            out.append(figures)
        return out

    def money(self, month, count):
        return to_digits(Decimal(count) / 100 * Decimal(month["terms"]["overage rate"]), COIN["EUR"], "half_up")

    def holdings(self):
        """(item, what) -> hundredths, and (item, "billed") -> money."""
        out = {}
        for month, figures in zip(self.months, self.work_out()):
            for item, drawn, over in figures["uses"]:
                for what, value in (("drawn", drawn), ("overage", over), ("billed", self.money(month, over))):
                    out[item, what] = out.get((item, what), 0) + value
        return out

    def lapsed(self):
        return {m["first"]: f["expired"] for m, f in zip(self.months, self.work_out()) if m["closed"]}

    # Events.

    def home(self, when):
        for month in self.months:
            if month["first"] <= when < month["next"]:
                return month
        raise Refused("no period")

    def current(self):
        still_open = [m for m in self.months if not m["closed"]]
        if not still_open:
            raise Refused("no period")
        return still_open[-1]

    def add(self, name, when, count):
        month = self.home(when)
        if month["closed"] and self.terms["late"] == "current_bucket":
            month = self.current()
        month["log"].append((name, count))

    def take(self, name, count):
        """In reverse order of use: the latest month first, in it the latest use."""
        for month in reversed(self.months):
            if month["frozen"] is not None:
                uses = month["frozen"]["uses"]
                for n in range(len(uses) - 1, -1, -1):
                    item, drawn, over = uses[n]
                    if item != name or not count:
                        continue
                    less_over = min(over, count)
                    less_drawn = min(drawn, count - less_over)
                    count -= less_over + less_drawn
                    uses[n] = (item, drawn - less_drawn, over - less_over)
                    month["frozen"]["overage"] -= less_over
                    month["frozen"]["used"] -= less_over
                    if less_drawn:
                        self.current()["given back"] += less_drawn
                continue
            log = month["log"]
            for n in range(len(log) - 1, -1, -1):
                if log[n][0] == name and count:
                    part = min(count, log[n][1])
                    count -= part
                    log[n] = (name, log[n][1] - part)
            month["log"] = [use for use in log if use[1]]

    def live(self, item):
        if item["asked"] >= item["base"]:
            return item["asked"] - item["gone"]
        return min(item["asked"], item["base"] - item["gone"])

    def reserve(self, name, when, count):
        if count < 0:
            raise Refused("negative quantity")
        home = self.home(when)
        item = self.items.setdefault(name, {"asked": 0, "base": 0, "gone": 0, "day": when})
        has = self.live(item)
        if self.home(item["day"]) is not home:
            self.take(name, has)
            has = 0
        item["day"], item["asked"] = when, count
        wants = self.live(item)
        if wants > has:
            self.add(name, when, wants - has)
        else:
            self.take(name, has - wants)

    def credit(self, name, count, final):
        item = self.items.get(name)
        if count > (self.live(item) if item else 0):
            raise Refused("credit above billed")
        if final:
            left = self.live(item) - count
            item["base"], item["gone"] = item["asked"], item["asked"] - left
            self.take(name, count)

    def open(self, first, following):
        if self.months and self.months[-1]["next"] != first:
            raise Refused("period order")
        ends = self.terms["ends"]
        if following <= first or (ends and day(ends) <= first):
            raise Refused("period order")
        self.months.append(
            {"first": first, "next": following, "closed": False, "log": [], "given back": 0, "frozen": None, "terms": dict(self.terms)}
        )

    def close(self, first):
        month = next((m for m in self.months if m["first"] == first), None)
        if month is None:
            raise Refused("no period")
        if any(not m["closed"] for m in self.months if m["first"] < first):
            raise Refused("period order")
        if self.terms["late"] == "current_bucket":
            n = self.months.index(month)
            month["frozen"] = self.work_out()[n]
        month["closed"] = True

    def play(self, row):
        event, name = row["event"], row["item"]
        if event == "open":
            self.open(day(row["day"]), day(name))
            return Decimal(self.terms["fee"])
        if event == "close":
            self.close(day(row["day"]))
        elif event == "reserve":
            self.reserve(name, day(row["day"]), units(row["hours"]))
        elif event == "withdraw":
            if name in self.items:
                self.take(name, self.live(self.items.pop(name)))
        elif event == "final credit":
            self.credit(name, units(row["hours"]), True)
        elif event == "credit to rebill":
            self.credit(name, units(row["hours"]), False)
        else:
            self.terms["allowance"], self.terms["fee"] = row["hours"], name
        return ZERO


def played(scenario, tables, until=None):
    bank = Bank(scenario, tables)
    fees = {}
    for each in (r for r in tables["Steps"] if r["scenario"] == scenario):
        saved = (bank.holdings(), bank.lapsed())
        refused, fee = "no", ZERO
        try:
            fee = bank.play(each)
        except Refused as why:
            refused = str(why)
        if fee:
            fees[bank.months[-1]["first"]] = fee
        if each is until:
            break
    return bank, saved, refused, fee, fees


def step(row, tables):
    bank, (before, lapsed_before), refused, fee, _ = played(row["scenario"], tables, row)
    after, lapsed = bank.holdings(), bank.lapsed()
    out = {}
    for column, what, show in (("= drawn", "drawn", hours), ("= overage", "overage", hours), ("= billed", "billed", lambda v: format(v, ".2f"))):
        moved = []
        for item, kind in sorted(set(before) | set(after)):
            change = after.get((item, kind), 0) - before.get((item, kind), 0)
            if kind == what and change:
                moved.append(f"{item} {show(change)}")
        out[column] = ", ".join(moved) or "none"
    out["= fee"] = format(fee, ".2f") if fee else "none"
    moved = [f"{m} {hours(lapsed.get(m, 0) - lapsed_before.get(m, 0))}" for m in sorted(lapsed) if lapsed[m] != lapsed_before.get(m, 0)]
    out["= lapsed"] = ", ".join(moved) or "none"
    out["= refused"] = refused
    figures = bank.work_out()
    if figures:
        last = figures[-1]
        out["working"] = f"latest month: available {hours(last['available'])}, used {hours(last['used'])}"
    else:
        out["working"] = "no month yet"
    return out


def month(row, tables):
    bank, _, _, _, fees = played(row["scenario"], tables)
    n = next(n for n, m in enumerate(bank.months) if str(m["first"]) == row["month"])
    figures, terms = bank.work_out()[n], bank.months[n]
    out = {f"= {k}": hours(figures[k]) for k in ("rolled in", "given back", "available", "used", "from rolled", "from current", "overage", "rolled out", "expired")}
    over = sum((bank.money(terms, u[2]) for u in figures["uses"]), ZERO)
    out["= billed"] = format(fees[terms["first"]] + over, ".2f")
    used, parts = figures["used"], figures["from rolled"] + figures["from current"] + figures["overage"]
    assert used == parts, (row, used, parts)
    assert figures["available"] == figures["from rolled"] + figures["from current"] + figures["rolled out"] + figures["expired"], row
    out["working"] = f"{out['= available']} = {out['= from rolled']} + {out['= from current']} + {out['= rolled out']} + {out['= expired']}; fee and overage {out['= billed']}"
    return out


SUBJECTS = {("hour_banks.md", "Steps"): step, ("hour_banks.md", "Months"): month}
