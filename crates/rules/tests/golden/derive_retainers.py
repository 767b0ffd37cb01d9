"""Works out `retainers.md` a second time: plays each scenario from its beginning for every row.

The balance is never kept: it is what can be used of the fundings less what all entries drew.
"""

from decimal import Decimal

from derive import COIN, to_digits
from derive_limits import Refused, World

ZERO = Decimal(0)


class Retainer:
    def __init__(self, scenario, tables):
        terms = dict(next(c for c in tables["Retainers"] if c["scenario"] == scenario))
        self.terms, self.coin = terms, COIN[terms["currency"]]
        # Only how a quantity is cut to fit is shared with the limits' program.
        self.cutter = World.__new__(World)
        self.cutter.terms, self.cutter.coin = terms, self.coin
        self.fundings, self.items, self.asked_for = {}, {}, []

    def amount(self, quantity, rate):
        return to_digits(quantity * rate, self.coin, self.terms["amount rounding"])

    def usable(self, funding):
        return self.fundings.get(funding, {}).get(self.terms["usable"], ZERO)

    def drawn(self):
        return sum((x["amount"] for i in self.items.values() for x in i["lots"] if x["is"] == "drawn"), ZERO)

    def balance(self):
        return sum((self.usable(f) for f in self.fundings), ZERO) - self.drawn()

    def one_line(self, lots, rate):
        """What was drawn or billed bit by bit is one quantity at one amount."""
        plain = lambda lot: lot["amount"] == self.amount(lot["quantity"], rate)
        joined = []
        for lot in lots:
            if joined and joined[-1]["is"] == lot["is"] and plain(joined[-1]) and plain(lot):
                quantity = joined[-1]["quantity"] + lot["quantity"]
                joined[-1] = {"is": lot["is"], "quantity": quantity, "amount": self.amount(quantity, rate)}
            else:
                joined.append(lot)
        return joined

    def lots(self, quantity, rate, room):
        """Drawn as far as the room goes, the rest billed."""
        if not quantity:
            return []
        whole = self.amount(quantity, rate)
        drawn = quantity if whole <= room else self.cutter.fitting({"kind": "fees", "rate": rate}, quantity, room)
        out = []
        for what, part in (("drawn", drawn), ("billed", quantity - drawn)):
            if part:
                out.append({"is": what, "quantity": part, "amount": self.amount(part, rate)})
        return out

    def wanted(self, item):
        if item["asked"] >= item["base"]:
            return item["asked"] - item["gone"]
        return min(item["asked"], item["base"] - item["gone"])

    def reserve(self, name, quantity, rate):
        if quantity < 0:
            raise Refused("negative quantity")
        item = self.items.setdefault(name, {"lots": [], "rate": rate, "asked": ZERO, "base": ZERO, "gone": ZERO})
        item["asked"] = quantity
        if item["rate"] != rate:
            item["lots"], item["rate"] = [], rate
        target, has = self.wanted(item), sum((x["quantity"] for x in item["lots"]), ZERO)
        if target >= has:
            item["lots"] += self.lots(target - has, rate, self.balance())
            before, item["lots"] = item["lots"], self.one_line(item["lots"], rate)
            if self.balance() < 0:
                item["lots"] = before
            return
        back = has - target
        while back:
            lot = item["lots"].pop()
            part = min(back, lot["quantity"])
            back -= part
            if lot["quantity"] > part:
                kept = lot["quantity"] - part
                item["lots"].append({"is": lot["is"], "quantity": kept, "amount": self.amount(kept, rate)})

    def credit(self, name, quantity, final):
        item = self.items.get(name)
        if quantity > (sum(x["quantity"] for x in item["lots"]) if item else ZERO):
            raise Refused("credit above billed")
        if not final:
            return
        rest = quantity
        for lot in reversed(item["lots"]):
            part = min(rest, lot["quantity"])
            rest -= part
            if part == lot["quantity"]:
                lot["amount"] = ZERO
            else:
                lot["amount"] -= min(lot["amount"], self.amount(part, item["rate"]))
            lot["quantity"] -= part
        item["lots"] = [x for x in item["lots"] if x["quantity"]]
        item["base"] = item["asked"]
        item["gone"] = item["asked"] - sum((x["quantity"] for x in item["lots"]), ZERO)

    def fund(self, name, stage, amount):
        if amount < 0:
            raise Refused("negative quantity")
        old = dict(self.fundings.get(name, {}))
        self.fundings.setdefault(name, {})[stage] = amount
        if self.balance() < 0:
            self.fundings[name] = old
            raise Refused("below drawn")

    def play(self, row):
        event, name = row["event"], row["item"]
        if event == "reserve":
            self.reserve(name, Decimal(row["quantity"]), Decimal(row["rate"]))
        elif event == "withdraw":
            self.items.pop(name, None)
        elif event == "final credit":
            self.credit(name, Decimal(row["quantity"]), True)
        elif event == "credit to rebill":
            self.credit(name, Decimal(row["quantity"]), False)
        elif event in ("invoiced", "paid"):
            self.fund(name, event, Decimal(row["amount"]))
        else:
            self.terms["threshold"], self.terms["target"] = row["item"], row["amount"]
        return self.evergreen()

    def coming(self):
        return sum((max(ZERO, asked - self.usable(name)) for name, asked in self.asked_for), ZERO)

    def evergreen(self):
        if not self.terms["target"]:
            return "none"
        there = self.balance() + self.coming()
        if there >= Decimal(self.terms["threshold"]):
            return "none"
        name, amount = f"top-up {len(self.asked_for) + 1}", Decimal(self.terms["target"]) - there
        self.asked_for.append((name, amount))
        return f"{name} {self.text(amount)}"

    def text(self, value):
        return format(value.quantize(Decimal(1).scaleb(-self.coin)), "f")

    def holdings(self):
        out = {}
        for name, item in self.items.items():
            for lot in item["lots"]:
                key = (name, lot["is"])
                out[key] = out.get(key, ZERO) + lot["amount"]
        return out


def step(row, tables):
    account = Retainer(row["scenario"], tables)
    for each in (r for r in tables["Steps"] if r["scenario"] == row["scenario"]):
        before, had, refused, top_up = account.holdings(), account.balance(), "no", "none"
        coming = account.coming()
        try:
            top_up = account.play(each)
        except Refused as why:
            refused = str(why)
        if each is row:
            break
    after, out = account.holdings(), {}
    for what in ("drawn", "billed"):
        moved = {}
        for key in sorted(set(before) | set(after)):
            if key[1] == what and after.get(key, ZERO) != before.get(key, ZERO):
                moved[key[0]] = after.get(key, ZERO) - before.get(key, ZERO)
        out[f"= {what}"] = ", ".join(f"{k} {account.text(v)}" for k, v in moved.items()) or "none"
    out["= balance"], out["= top-up"], out["= refused"] = account.text(account.balance()), top_up, refused
    words = f"balance before {account.text(had)}"
    if coming:
        words += f", {account.text(coming)} on its way"
    if row["event"] == "reserve":
        words += f"; {row['quantity']} x {row['rate']} = {Decimal(row['quantity']) * Decimal(row['rate'])}"
    out["working"] = words
    return out


SUBJECTS = {("retainers.md", "Steps"): step}
