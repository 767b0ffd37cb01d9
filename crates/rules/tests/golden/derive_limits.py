"""Works out `limits.md` a second time: plays each scenario from its beginning for every row.

Totals are never kept: each one is summed anew from what every entry holds, and a cut is found by going
down step by step until the printed amount fits.
"""

import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from derive import COIN, plain, to_digits

NESTING = ["contract", "line", "purchase_order", "task"]
ZERO = Decimal(0)


class Refused(Exception):
    pass


def day(text):
    return datetime.date.fromisoformat(text)


class World:
    def __init__(self, scenario, tables):
        self.terms = next(c for c in tables["Contracts"] if c["scenario"] == scenario)
        self.coin = COIN[self.terms["currency"]]
        rows = [dict(l) for l in tables["Limits"] if l["scenario"] == scenario]
        self.limits = sorted(rows, key=lambda l: NESTING.index(l["scope"]))
        self.items = {}
        self.changes = {}

    # What is printed.

    def amount(self, quantity, rate):
        return to_digits(quantity * rate, self.coin, self.terms["amount rounding"])

    def steps_down(self, quantity, room, rate):
        """Candidates for a cut of a quantity, largest first, from just above what can fit."""
        digits = int(self.terms["decimals"])
        top = min(quantity, (room + 1) / rate + 1)
        if self.terms["increment"]:
            step = Decimal(int(self.terms["increment"])) / 60
            count = int((top / step).to_integral_value(ROUND_CEILING)) + 1
            for n in range(count, -1, -1):
                yield to_digits(n * step, digits, self.terms["quantity rounding"])
        else:
            step = Decimal(1).scaleb(-digits)
            count = int((top / step).to_integral_value(ROUND_FLOOR))
            for n in range(count, -1, -1):
                yield n * step

    def fitting(self, item, quantity, room):
        if item["kind"] == "expenses":
            return ZERO
        for candidate in self.steps_down(quantity, room, item["rate"]):
            if candidate <= quantity and self.amount(candidate, item["rate"]) <= room:
                return candidate
        return ZERO

    # Which limits an entry is under.

    def under(self, item):
        """The limits that count the entry, and whether every scope it is under is covered on its day."""
        found, groups = [], {}
        for limit in self.limits:
            scope = limit["scope"]
            if scope != "contract" and item["under"].get(scope) != limit["code"]:
                continue
            if limit["base"] == "fees" and item["kind"] == "expenses":
                continue
            inside = (not limit["from"] or day(limit["from"]) <= item["day"]) and (
                not limit["to"] or item["day"] < day(limit["to"])
            )
            key = (scope, limit["code"])
            groups[key] = groups.get(key, False) or inside
            if inside:
                found.append(limit)
        return found, all(groups.values())

    def billed(self, item):
        return sum((lot["net"] for lot in item["lots"] if lot["is"] == "billed"), ZERO)

    def total(self, limit, what, name):
        """Opening aside, the sum over all entries the limit counts."""
        found = ZERO
        for item in self.items.values():
            if limit in self.under(item)[0]:
                for lot in item["lots"]:
                    if lot["is"] == what:
                        found += lot[name]
        return found

    def used(self, limit):
        return Decimal(limit["opening used"]) + self.total(limit, "billed", "net")

    def left(self, limit):
        return max(ZERO, Decimal(limit["cap"]) - self.used(limit))

    # Granting.

    def grant(self, item, quantity, own, waits_behind):
        """Lots for a quantity, and the limit that holds the rest. `own` is what the entry itself gave back."""
        limits, covered = self.under(item)
        rate, amount = item["rate"], self.amount(quantity, item["rate"])
        if quantity == 0:
            return [], None
        if not covered:
            return [self.lot("held", quantity, rate)], "uncovered"
        room = {l["limit"]: max(ZERO, Decimal(l["cap"]) - self.used(l)) for l in limits}
        waiting = [l for l in limits if l["limit"] in waits_behind]
        over = [
            l
            for l in limits
            if self.used(l) + amount > Decimal(l["cap"]) + Decimal(l["tolerance"])
            or (Decimal(l["tolerance"]) == 0 and amount > room[l["limit"]])
        ]
        if not limits or (not over and not waiting):
            return [self.lot("billed", quantity, rate)], None
        if waiting:
            # It keeps what it had; more has to wait. If it asks no more than it had, it does not wait.
            had = min(own.get(l["limit"], ZERO) for l in limits)
            if amount <= had:
                return [self.lot("billed", quantity, rate)], None
            return self.split(item, quantity, had, "held"), waiting[0]["limit"]
        tightest = min(over, key=lambda l: room[l["limit"]])
        policy = tightest["policy"]
        least = min(room.values())
        if policy == "hold":
            had = min(own.get(tightest["limit"], ZERO), least)
            return self.split(item, quantity, had, "held"), tightest["limit"]
        if policy == "bill_to_cap":
            lot = self.lot("billed", quantity, rate)
            lot["net"] = least
            return [lot], None
        rest = "written_off" if policy == "write_off" else "held"
        return self.split(item, quantity, least, rest), tightest["limit"]

    def lot(self, what, quantity, rate):
        amount = self.amount(quantity, rate)
        return {"is": what, "quantity": quantity, "gross": amount, "net": amount}

    def split(self, item, quantity, room, rest):
        fits = self.fitting(item, quantity, room)
        lots = []
        if fits:
            lots.append(self.lot("billed", fits, item["rate"]))
        if quantity - fits:
            lots.append(self.lot(rest, quantity - fits, item["rate"]))
        return lots

    def holding(self):
        """Limits under `hold` that keep somebody waiting and let nobody pass."""
        names = {i["held by"] for i in self.items.values() if any(x["is"] == "held" for x in i["lots"])}
        return {l["limit"] for l in self.limits if l["limit"] in names and l["policy"] == "hold" and l["pass"] == "no"}

    # Events.

    def live(self, item):
        return sum((lot["quantity"] for lot in item["lots"]), ZERO)

    def wanted(self, item):
        """What of an entry may be billed, now that final credits took some of it."""
        asked, base, gone = item["asked"], item["credit base"], item["credited"]
        return asked - gone if asked >= base else min(asked, base - gone)

    def take_back(self, item, quantity):
        while quantity > 0:
            lot = item["lots"].pop()
            if lot["quantity"] <= quantity:
                quantity -= lot["quantity"]
                continue
            shorter = self.lot(lot["is"], lot["quantity"] - quantity, item["rate"])
            shorter["net"] = min(shorter["gross"], lot["net"])
            item["lots"].append(shorter)
            quantity = ZERO

    def reserve(self, name, new):
        if new["asked"] < 0:
            raise Refused("negative quantity")
        old = self.items.get(name)
        if old is None:
            new.update({"lots": [], "held by": None, "credit base": ZERO, "credited": ZERO})
            waits = self.holding()
            lots, by = self.grant(new, new["asked"], {}, waits)
            new["lots"], new["held by"] = lots, by
            self.items[name] = new
            return
        before_under = self.under(old)
        same = old["rate"] == new["rate"] and old["kind"] == new["kind"]
        merged = {**old, **new}
        self.items[name] = merged
        merged["lots"] = list(old["lots"])
        same = same and self.under(merged) == before_under
        target = self.wanted(merged)
        if not same:
            had = self.billed(old)
            own = {l["limit"]: had for l in before_under[0]}
            merged["lots"] = []
            others = self.holding()
            merged["lots"], merged["held by"] = self.grant(merged, target, own, others)
            return
        more = target - self.live(old)
        if more < 0:
            self.take_back(merged, -more)
        elif more > 0:
            own_held = [x for x in merged["lots"] if x["is"] == "held"]
            if own_held:
                whole = own_held[0]["quantity"] + more
                merged["lots"].remove(own_held[0])
                merged["lots"].append(self.lot("held", whole, merged["rate"]))
            else:
                lots, by = self.grant(merged, more, {}, self.holding())
                merged["lots"] += lots
                merged["held by"] = by
                self.one_line(merged)

    def one_line(self, item):
        """What is granted bit by bit is one quantity at one amount on the line, if there is room for it."""
        product = lambda lot: self.amount(lot["quantity"], item["rate"])
        plain = lambda lot: lot["gross"] == lot["net"] == product(lot)
        lots = []
        for lot in item["lots"]:
            if lots and lots[-1]["is"] == lot["is"] and plain(lots[-1]) and plain(lot):
                lots[-1] = self.lot(lot["is"], lots[-1]["quantity"] + lot["quantity"], item["rate"])
            else:
                lots.append(lot)
        before = item["lots"]
        was = self.billed(item)
        item["lots"] = lots
        if self.billed(item) > was:
            full = [l for l in self.under(item)[0] if self.used(l) > Decimal(l["cap"]) + Decimal(l["tolerance"])]
            if full:
                item["lots"] = before

    def credit(self, name, quantity, final):
        item = self.items.get(name)
        there = sum((x["quantity"] for x in item["lots"] if x["is"] == "billed"), ZERO) if item else ZERO
        if quantity < 0:
            raise Refused("negative quantity")
        if quantity > there:
            raise Refused("credit above billed")
        if not final or quantity == 0:
            return
        rest = quantity
        for lot in reversed(item["lots"]):
            if lot["is"] != "billed" or rest == 0:
                continue
            taken = min(rest, lot["quantity"])
            rest -= taken
            if taken == lot["quantity"]:
                lot["gross"] = ZERO
            else:
                lot["gross"] -= min(lot["gross"], self.amount(taken, item["rate"]))
            lot["quantity"] -= taken
            lot["net"] = min(lot["net"], lot["gross"])
        item["lots"] = [x for x in item["lots"] if x["quantity"]]
        item["credit base"], item["credited"] = item["asked"], item["asked"] - self.live(item)

    def release(self, most):
        stopped, done = set(), 0
        for name, item in list(self.items.items()):
            held = [x for x in item["lots"] if x["is"] == "held"]
            if not held or done == most:
                continue
            if any(l["limit"] in stopped for l in self.under(item)[0]):
                continue
            item["lots"].remove(held[0])
            lots, by = self.grant(item, held[0]["quantity"], {}, set())
            item["lots"] += lots
            item["held by"] = by
            self.one_line(item)
            done += 1
            holder = [l for l in self.limits if l["limit"] == by and l["pass"] == "no"]
            if holder and any(x["is"] == "held" for x in lots):
                stopped.add(by)

    def change(self, name, cap):
        limit = next(l for l in self.limits if l["limit"] == name)
        if Decimal(cap) + Decimal(limit["tolerance"]) < self.used(limit):
            raise Refused("cap below used")
        limit["cap"] = cap

    def withdraw(self, name):
        item = self.items.get(name)
        if item is None:
            return
        if item["credited"]:
            item["lots"], item["asked"], item["held by"] = [], ZERO, None
        else:
            del self.items[name]

    def play(self, row, tables):
        event, name = row["event"], row["item"]
        if event == "reserve":
            self.reserve(name, asked(row))
        elif event == "batch":
            rows = [b for b in tables["Batches"] if b["batch"] == name]
            rows.sort(key=lambda b: (b["day"], int(b["approved"]), b["source id"]))
            for b in rows:
                self.reserve(b["item"], asked({**b, "under": "", "kind": "fees"}))
        elif event == "withdraw":
            self.withdraw(name)
        elif event == "final credit":
            self.credit(name, Decimal(row["quantity"]), True)
        elif event == "credit to rebill":
            self.credit(name, Decimal(row["quantity"]), False)
        elif event == "release":
            self.release(None)
        elif event == "release next":
            self.release(1)
        else:
            self.change(name, row["quantity"])

    # Looking.

    def holdings(self):
        """Entry -> kind of holding -> amount."""
        out = {}
        for name, item in self.items.items():
            sums = {"billed": ZERO, "held": ZERO, "written_off": ZERO, "allowance": ZERO}
            for lot in item["lots"]:
                sums[lot["is"]] += lot["net"]
                sums["allowance"] += lot["gross"] - lot["net"]
            out[name] = sums
        return out

    def text(self, value):
        return format(value.quantize(Decimal(1).scaleb(-self.coin)), "f")

    def per_limit(self, figure):
        if len(self.limits) == 1:
            return self.text(figure(self.limits[0]))
        return ", ".join(f"{l['limit']} {self.text(figure(l))}" for l in self.limits)


def asked(row):
    under = dict(part.strip().split(" ", 1) for part in row["under"].split(";") if part.strip())
    return {
        "asked": Decimal(row["quantity"]),
        "rate": Decimal(row["rate"]),
        "day": day(row["day"]),
        "under": under,
        "kind": row["kind"],
    }


def step(row, tables):
    rows = [r for r in tables["Steps"] if r["scenario"] == row["scenario"]]
    world = World(row["scenario"], tables)
    refused = "no"
    for each in rows:
        last = each is row
        before, kept = world.holdings(), world
        left_before = world.per_limit(world.left)
        try:
            world.play(each, tables)
            refused = "no"
        except Refused as why:
            refused = str(why)
        if last:
            break
    after = world.holdings()
    out = {}
    for column, name in (("= billed", "billed"), ("= held", "held"), ("= written off", "written_off"), ("= allowance", "allowance")):
        parts = []
        for item in sorted(set(before) | set(after)):
            moved = after.get(item, {}).get(name, ZERO) - before.get(item, {}).get(name, ZERO)
            if moved:
                parts.append(f"{item} {world.text(moved)}")
        out[column] = ", ".join(parts) or "none"
    out["= used"] = world.per_limit(world.used)
    out["= left"] = world.per_limit(world.left)
    out["= refused"] = refused
    out["working"] = working(row, world, left_before)
    return out


def working(row, world, left_before):
    words = f"left before {left_before}"
    item = world.items.get(row["item"])
    if row["event"] == "reserve" and item:
        words += f"; asked {row['quantity']} x {row['rate']} = {plain(Decimal(row['quantity']) * Decimal(row['rate']))}"
        lots = [f"{plain(x['quantity'])} h {x['is'].replace('_', ' ')}" for x in item["lots"]]
        words += "; now " + (", ".join(lots) or "nothing")
    elif row["event"] in ("final credit", "credit to rebill") and item:
        words += f"; {row['quantity']} x {plain(item['rate'])} = {plain(Decimal(row['quantity']) * item['rate'])}"
    elif row["event"] == "change order":
        words += f"; the cap becomes {row['quantity']}"
    return words


SUBJECTS = {("limits.md", "Steps"): step}
