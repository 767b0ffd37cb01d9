"""The accounts of one contract, worked out without the product: limits, retainer, hour bank,
milestones. Quantities, rates and money are exact fractions; money is rounded to the coin where a
line is priced, and nowhere else."""

import calendar
from datetime import date, timedelta
from fractions import Fraction as F


def rounded(value, digits, mode="half_up"):
    """A fraction rounded to so many digits after the point."""
    scaled = abs(F(value)) * 10**digits
    whole, rest = divmod(scaled, 1)
    up = {
        "half_up": rest >= F(1, 2),
        "half_even": rest > F(1, 2) or (rest == F(1, 2) and whole % 2 == 1),
        "up": rest > 0,
        "down": False,
    }[mode]
    sign = -1 if value < 0 else 1
    return sign * F(int(whole) + int(up), 10**digits)


class Printing:
    """How a contract prints quantities and amounts."""

    def __init__(self, contract, coin_digits):
        self.coin_digits = coin_digits
        self.amount_mode = contract.get("amount_rounding", "half_up")
        self.decimals = contract.get("quantity_decimals", 2)
        self.quantity_mode = contract.get("quantity_rounding", "half_up")
        self.step = contract.get("increment", {}).get("step_minutes")

    def amount(self, quantity, rate):
        return rounded(quantity * rate, self.coin_digits, self.amount_mode)

    def hours(self, seconds):
        return rounded(F(seconds, 3600), self.decimals, self.quantity_mode)

    def largest(self, quantity, rate, room):
        """The largest printed quantity that costs no more than there is room for."""
        best, number = F(0), 1
        while True:
            part = (
                self.hours(number * self.step * 60) if self.step else F(number, 10**self.decimals)
            )
            if part > quantity or self.amount(part, rate) > room:
                return best
            best, number = part, number + 1


class Slice:
    def __init__(self, outcome, quantity, rate, amount, allowance=F(0)):
        self.outcome, self.quantity, self.rate = outcome, quantity, rate
        self.amount, self.allowance = amount, allowance

    @property
    def net(self):
        return self.amount - self.allowance


def of(slices, outcome):
    return sum((s.quantity for s in slices if s.outcome == outcome), F(0))


def net_of(slices, outcome):
    return sum((s.net for s in slices if s.outcome == outcome), F(0))


class Claim:
    """What is asked, and what final credits took of it."""

    def __init__(self):
        self.asked = self.base = self.credited = F(0)

    def live(self):
        if self.asked >= self.base:
            return self.asked - self.credited
        return min(self.asked, self.base - self.credited)

    def credit_down_to(self, live):
        self.base, self.credited = self.asked, self.asked - live


def give_back(printing, slices, quantity):
    """Shorten a list of slices from its end."""
    while quantity > 0 and slices:
        last = slices.pop()
        if last.quantity <= quantity:
            quantity -= last.quantity
            continue
        kept = last.quantity - quantity
        amount = printing.amount(kept, last.rate)
        net = min(last.net, amount)
        slices.append(Slice(last.outcome, kept, last.rate, amount, amount - net))
        return


def one_line(printing, slices):
    """Neighbours of one outcome and rate are one quantity at one amount."""
    plain = lambda s: s.amount == printing.amount(s.quantity, s.rate) and s.net == s.amount
    joined = []
    for piece in slices:
        last = joined[-1] if joined else None
        if last and (last.outcome, last.rate) == (piece.outcome, piece.rate) and plain(last) and plain(piece):
            quantity = last.quantity + piece.quantity
            joined[-1] = Slice(piece.outcome, quantity, piece.rate, printing.amount(quantity, piece.rate))
        else:
            joined.append(piece)
    return joined


def credit(printing, slices, quantity, outcomes):
    for part in reversed(slices):
        if part.outcome in outcomes:
            taken = min(quantity, part.quantity)
            quantity -= taken
            gross = max(F(0), part.amount - printing.amount(taken, part.rate))
            net = min(part.net, gross)
            part.quantity -= taken
            part.amount, part.allowance = gross, gross - net
    slices[:] = [s for s in slices if s.quantity]


class Limits:
    """The limits of a contract and of all that is part of it: each entry passes those of its own
    contract and of everything that this one is part of."""

    def __init__(self, members):
        self.items, self.arrivals = {}, 0
        self.change(members)

    def change(self, members):
        """`members` has for each contract its printing, its parent and its limits, outermost first."""
        self.members = members
        rank = ["contract", "line", "purchase_order", "task"]
        terms = [
            {**t, "owner": owner, "key": f"{owner}/{t['id']}"}
            for owner, (_, _, limits) in members.items() for t in limits
        ]
        self.terms = sorted(terms, key=lambda t: (
            len(self.chain(t["owner"])), rank.index(t.get("scope", "contract"))))

    def chain(self, contract):
        chain = []
        while contract in self.members:
            chain.append(contract)
            contract = self.members[contract][1]
        return chain

    def price(self, ask):
        return self.members[ask["contract"]][0]

    def levels(self, ask):
        """The limits that an ask has to pass, and whether none covers its day where one should."""
        mine = [
            t
            for t in self.terms
            if t["owner"] in self.chain(ask["contract"])
            and (t.get("scope", "contract") == "contract"
                 or (t["scope"] == "task" and t["code"] == ask["task"]))
        ]
        key = lambda t: (t["owner"], t.get("scope", "contract"), t.get("code"))
        cover = lambda t: (not t.get("from") or t["from"] <= ask["date"]) and (
            not t.get("to") or ask["date"] < t["to"]
        )
        covered = {key(t) for t in mine if cover(t)}
        return [t for t in mine if cover(t)], any(key(t) not in covered for t in mine)

    def used(self, limit):
        total = F(limit.get("opening_used", "0"))
        for record in self.items.values():
            if limit in self.levels(record["ask"])[0]:
                total += net_of(record["slices"], "billed")
        return total

    def left(self, limit):
        return max(F(0), F(limit["amount"]) - self.used(limit))

    def waiting(self):
        ids = {r["held_by"] for r in self.items.values() if r["held_by"]}
        return [
            t
            for t in self.terms
            if t["key"] in ids and t.get("policy") == "hold" and not t.get("pass", False)
        ]

    def split(self, ask, quantity, room, rest):
        price = self.price(ask)
        fits = price.largest(quantity, ask["rate"], room)
        parts = [("billed", fits), (rest, quantity - fits)]
        return [Slice(o, q, ask["rate"], price.amount(q, ask["rate"])) for o, q in parts if q]

    def grant(self, ask, quantity, own=None, waits=()):
        """What is granted of a quantity, and the limit that a part of it waits at."""
        own = own or {}
        if not quantity:
            return [], None
        price = self.price(ask)
        whole = Slice("billed", quantity, ask["rate"], price.amount(quantity, ask["rate"]))
        levels, uncovered = self.levels(ask)
        if uncovered:
            whole.outcome = "held"
            return [whole], "no limit for the day"
        stopped = next((t for t in levels if t in waits), None)
        had = min((own.get(t["key"], F(0)) for t in levels), default=F(0))
        if stopped:
            if whole.amount <= had:
                return [whole], None
            return self.split(ask, quantity, had, "held"), stopped["key"]
        most = lambda t: F(t["amount"]) + F(t.get("tolerance", "0"))
        over = [t for t in levels if self.used(t) + whole.amount > most(t)]
        if not over:
            return [whole], None
        tight = min(over, key=self.left)
        room = min(self.left(t) for t in levels)
        policy = tight.get("policy", "split_hold")
        if policy == "write_off":
            return self.split(ask, quantity, room, "written off"), None
        if policy == "bill_to_cap":
            whole.allowance = whole.amount - room
            return [whole], None
        if policy == "hold":
            room = min(own.get(tight["key"], F(0)), room)
        slices = self.split(ask, quantity, room, "held")
        held = any(s.outcome == "held" for s in slices)
        return slices, tight["key"] if held else None

    def ask(self, name, ask):
        old = self.items.pop(name, None)
        record = old or {"claim": Claim(), "slices": [], "held_by": None}
        if not old:
            record["arrival"], self.arrivals = self.arrivals, self.arrivals + 1
        record["claim"].asked = ask["quantity"]
        wants = record["claim"].live()
        before = record.get("ask")
        same = before and before["rate"] == ask["rate"] and before["contract"] == ask["contract"] and self.levels(before) == self.levels(ask)
        record["ask"] = ask
        if not same:
            had = net_of(record["slices"], "billed")
            own = {t["key"]: had for t in self.levels(before)[0]} if before else {}
            record["slices"], record["held_by"] = self.grant(ask, wants, own, self.waiting())
        else:
            self.resize(name, record, wants)
        self.items[name] = record

    def resize(self, name, record, wants):
        slices = record["slices"]
        has = sum((s.quantity for s in slices), F(0))
        if wants < has:
            give_back(self.price(record["ask"]), slices, has - wants)
        elif wants > has:
            held = of(slices, "held")
            if held:
                rate, more = record["ask"]["rate"], held + wants - has
                slices[:] = [s for s in slices if s.outcome != "held"]
                slices.append(Slice("held", more, rate, self.price(record["ask"]).amount(more, rate)))
            else:
                self.items[name] = record
                more, record["held_by"] = self.grant(
                    record["ask"], wants - has, None, self.waiting()
                )
                slices.extend(more)
                self.join(record)
        if not of(slices, "held"):
            record["held_by"] = None

    def join(self, record):
        """One quantity on the line, where every limit has room for its amount. The record is counted."""
        before, was = list(record["slices"]), net_of(record["slices"], "billed")
        record["slices"][:] = one_line(self.price(record["ask"]), before)
        if net_of(record["slices"], "billed") > was:
            most = lambda t: F(t["amount"]) + F(t.get("tolerance", "0"))
            if any(self.used(t) > most(t) for t in self.levels(record["ask"])[0]):
                record["slices"][:] = before

    def withdraw(self, name):
        record = self.items.pop(name, None)
        if record and record["claim"].credited:
            record["slices"], record["held_by"], record["claim"].asked = [], None, F(0)
            self.items[name] = record

    def credit(self, name, quantity):
        record = self.items[name]
        credit(self.price(record["ask"]), record["slices"], quantity, ["billed"])
        record["claim"].credit_down_to(sum((s.quantity for s in record["slices"]), F(0)))

    def release(self):
        stopped, changed = set(), []
        waiting = sorted((r["arrival"], n) for n, r in self.items.items() if r["held_by"])
        for _, name in waiting:
            record = self.items[name]
            if any(t["id"] in stopped for t in self.levels(record["ask"])[0]):
                continue
            held = of(record["slices"], "held")
            record["slices"] = [s for s in record["slices"] if s.outcome != "held"]
            more, record["held_by"] = self.grant(record["ask"], held)
            record["slices"] += more
            self.join(record)
            changed.append(name)
            for term in self.terms:
                if term["key"] == record["held_by"] and not term.get("pass", False):
                    stopped.add(term["id"])
        return changed


class Retainer:
    def __init__(self, printing, terms):
        self.printing, self.terms = printing, terms
        self.fundings, self.items, self.top_ups = {}, {}, []

    def usable(self, funding):
        return funding.get(self.terms.get("usable", "paid"), F(0))

    def balance(self):
        paid = sum((self.usable(f) for f in self.fundings.values()), F(0))
        return paid - sum((net_of(d["slices"], "drawn") for d in self.items.values()), F(0))

    def ask(self, name, ask):
        drawing = self.items.setdefault(name, {"claim": Claim(), "slices": [], "rate": None})
        if drawing["rate"] != ask["rate"]:
            drawing["slices"] = []
        drawing["rate"], drawing["claim"].asked = ask["rate"], ask["quantity"]
        has = sum((s.quantity for s in drawing["slices"]), F(0))
        wants = drawing["claim"].live()
        if wants < has:
            give_back(self.printing, drawing["slices"], has - wants)
            return
        room, more, price = self.balance(), wants - has, self.printing
        fits = more
        if price.amount(more, ask["rate"]) > room:
            fits = price.largest(more, ask["rate"], room)
        for outcome, quantity in [("drawn", fits), ("billed", more - fits)]:
            if quantity:
                amount = price.amount(quantity, ask["rate"])
                drawing["slices"].append(Slice(outcome, quantity, ask["rate"], amount))
        before, drawing["slices"] = drawing["slices"], one_line(price, drawing["slices"])
        if self.balance() < 0:
            drawing["slices"] = before

    def withdraw(self, name):
        drawing = self.items.pop(name, None)
        if drawing and drawing["claim"].credited:
            drawing["slices"], drawing["claim"].asked = [], F(0)
            self.items[name] = drawing

    def credit(self, name, quantity):
        drawing = self.items[name]
        credit(self.printing, drawing["slices"], quantity, ["drawn", "billed"])
        drawing["claim"].credit_down_to(sum((s.quantity for s in drawing["slices"]), F(0)))

    def fill_up(self):
        terms = self.terms.get("evergreen")
        if not terms:
            return []
        coming = F(0)
        for name, asked in self.top_ups:
            coming += max(F(0), asked - self.usable(self.fundings.get(name, {})))
        there = self.balance() + coming
        if there >= F(terms["threshold"]):
            return []
        name, amount = f"top-up {len(self.top_ups) + 1}", F(terms["target"]) - there
        self.top_ups.append((name, amount))
        return [(name, amount)]


class HourBank:
    """Each month has a log of who used how much; everything is worked out from the logs."""

    def __init__(self, printing, terms):
        self.printing, self.terms, self.months, self.asked = printing, terms, [], {}

    def month(self, day):
        for number, month in enumerate(self.months):
            if month["first"] <= day < month["next"]:
                return number
        raise ValueError(f"no month of the bank holds {day}")

    def open(self, first):
        day = date.fromisoformat(first)
        days = calendar.monthrange(day.year, day.month)[1]
        following = (day.replace(day=days) + timedelta(days=1)).isoformat()
        self.months.append({"first": first, "next": following, "closed": False, "log": []})
        return F(self.terms["fee"])

    def close(self, first):
        next(m for m in self.months if m["first"] == first)["closed"] = True

    def ask(self, name, ask):
        number = self.month(ask["date"])
        had_month, has = self.asked.get(name, (number, F(0)))
        if had_month != number:
            self.take(name, has)
            has = F(0)
        more = ask["quantity"] - has
        if more > 0:
            month = self.months[number]
            if month["closed"] and self.terms.get("late") == "current_bucket":
                month = [m for m in self.months if not m["closed"]][-1]
            month["log"].append([name, more])
        else:
            self.take(name, -more)
        self.asked[name] = (number, ask["quantity"])

    def take(self, name, hours):
        for month in reversed(self.months):
            for use in reversed(month["log"]):
                if use[0] == name:
                    part = min(hours, use[1])
                    use[1] -= part
                    hours -= part
            month["log"] = [use for use in month["log"] if use[1]]

    def withdraw(self, name):
        if name in self.asked:
            self.take(name, self.asked.pop(name)[1])

    def worked_out(self):
        """Figures of each month, and what each item got inside and over the allowance."""
        carried, figures, items = [], [], {}
        roll = self.terms.get("rollover")
        for month in self.months:
            own = [F(self.terms["allowance_hours"]), None]
            buckets = [*carried, own]
            if self.terms.get("order") == "newest_first":
                buckets.reverse()
            rolled_in = sum((b[0] for b in carried), F(0))
            over = used = F(0)
            for name, hours in month["log"]:
                rest = hours
                for bucket in buckets:
                    part = min(rest, bucket[0])
                    bucket[0] -= part
                    rest -= part
                inside, beyond = items.setdefault(name, [F(0), F(0)])
                items[name] = [inside + hours - rest, beyond + rest]
                over, used = over + rest, used + hours
            unused = sum((b[0] for b in buckets), F(0))
            carried = [[b[0], b[1] - 1] for b in carried if b[1] > 1 and b[0]]
            kept = min(own[0], F(roll["maximum_hours"])) if roll else F(0)
            if kept:
                carried.append([kept, roll["life_periods"]])
            rolled_out = sum((b[0] for b in carried), F(0))
            figures.append((month["first"], rolled_in, used, over, rolled_out, unused - rolled_out))
        return figures, items

    def slices(self, name):
        inside, over = self.worked_out()[1].get(name, [F(0), F(0)])
        rate = F(self.terms["overage_rate"])
        parts = [("allowance", inside, F(0)), ("overage", over, rate)]
        return [Slice(o, q, r, self.printing.amount(q, r)) for o, q, r in parts if q]


class Milestones:
    def __init__(self, printing, terms):
        self.printing, self.terms = printing, terms
        self.accepted, self.billed, self.withheld, self.released = {}, {}, F(0), False

    def share(self, of_what, percent):
        return rounded(
            F(of_what) * F(percent) / 100, self.printing.coin_digits, self.printing.amount_mode
        )

    def worth(self):
        """What each milestone is worth; the last percentage takes what the others leave."""
        price, rest, worth = F(self.terms["price"]), F(self.terms["price"]), {}
        percents = [m["id"] for m in self.terms["milestones"] if "percent" in m]
        last = percents[-1] if percents else None
        for milestone in self.terms["milestones"]:
            name = milestone["id"]
            if name == last:
                continue
            if name in self.accepted:
                worth[name] = self.accepted[name][-1][1]
            elif "amount" in milestone:
                worth[name] = F(milestone["amount"])
            else:
                worth[name] = self.share(price, milestone["percent"])
            rest -= worth[name]
        if last:
            worth[last] = rest
        return worth

    def accept(self, name, revision, amount):
        terms = next(m for m in self.terms["milestones"] if m["id"] == name)
        value = self.worth()[name]
        if amount is not None:
            value = F(amount)
        elif "amount" in terms:
            value = F(terms["amount"])
        self.accepted.setdefault(name, []).append((revision, value))
        return self.settle()

    def release(self):
        self.released = True
        return self.settle()

    def settle(self):
        """Bill what every item comes to, less what was billed for it."""
        worth, targets, withheld = self.worth(), {}, F(0)
        for name, revisions in self.accepted.items():
            kept = self.share(worth[name], self.terms.get("retention_percent", "0"))
            withheld += kept
            rest = worth[name] - kept
            for revision, _ in revisions[:-1]:
                item = f"{name}/{revision}"
                targets[item] = self.billed.get(item, F(0))
                rest -= targets[item]
            targets[f"{name}/{revisions[-1][0]}"] = rest
        if self.released:
            targets["retention"], withheld = withheld, F(0)
        due = []
        for item in sorted(targets):
            difference = targets[item] - self.billed.get(item, F(0))
            if difference:
                due.append((item, difference))
        self.billed, self.withheld = targets, withheld
        return due
