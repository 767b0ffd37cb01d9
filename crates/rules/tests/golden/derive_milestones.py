"""Works out `milestones.md` a second time: for every row, from all events so far, what each milestone is
worth, what is withheld of it, and what was to be billed before."""

from decimal import Decimal

from derive import COIN, plain, to_digits
from derive_limits import Refused

ZERO = Decimal(0)


class Contract:
    def __init__(self, scenario, tables):
        self.terms = dict(next(c for c in tables["Contracts"] if c["scenario"] == scenario))
        self.plan = [dict(m) for m in tables["Milestones"] if m["scenario"] == scenario]
        self.coin = COIN[self.terms["currency"]]
        self.accepted = {}
        self.billed = {}
        self.released = False

    def cents(self, value):
        return to_digits(value, self.coin, "half_up")

    def price(self):
        return Decimal(self.terms["price"])

    def worth(self, amount, percent):
        return Decimal(amount) if amount else self.cents(self.price() * Decimal(percent) / 100)

    def remainder_of(self):
        """The milestone that takes the remainder: the last one that is a percentage."""
        names = [m["milestone"] for m in self.plan if m["percent"]]
        return names[-1] if names else None

    def values(self):
        out, rest = {}, self.remainder_of()
        for m in self.plan:
            name = m["milestone"]
            if name != rest:
                fixed = self.accepted.get(name)
                out[name] = fixed[-1]["value"] if fixed else self.worth(m["amount"], m["percent"])
        if rest:
            out[rest] = self.price() - sum(out.values(), ZERO)
            if out[rest] < 0:
                raise Refused("more than the price")
        return out

    def held_back(self, value):
        return self.cents(value * Decimal(self.terms["retention"]) / 100)

    def targets(self):
        """Item -> what it comes to. Earlier revisions stay as they were billed."""
        out, withheld = {}, ZERO
        values = self.values()
        for name, revisions in self.accepted.items():
            keys = [f"{name}/{r['revision']}" for r in revisions]
            kept = ZERO
            for key in keys[:-1]:
                out[key] = self.billed[key]
                kept += out[key]
            withheld += self.held_back(values[name])
            out[keys[-1]] = values[name] - self.held_back(values[name]) - kept
        if self.released:
            out["retention"] = withheld
        return out, ZERO if self.released else withheld

    def accept(self, row):
        name, revision = row["item"], int(row["revision"])
        plan = next((m for m in self.plan if m["milestone"] == name), None)
        if plan is None:
            raise Refused("unknown milestone")
        if not row["evidence"]:
            raise Refused("no evidence")
        said = (row["value"], row["evidence"])
        before = self.accepted.get(name, [])
        for old in before:
            if old["revision"] == revision and old["said"] == said:
                return
        if before and revision <= before[-1]["revision"]:
            raise Refused("revision taken")
        amount, percent = plan["amount"], plan["percent"]
        rest = self.remainder_of()
        if row["value"]:
            if name == rest:
                raise Refused("takes the remainder")
            number = row["value"].removesuffix(" %")
            amount, percent = ("", number) if row["value"].endswith("%") else (number, "")
            if rest is None and Decimal(number) != Decimal(plan["amount"]):
                raise Refused("nothing takes the difference")
        value = self.worth(amount, percent)
        if name == rest:
            value = self.values()[name]
        self.accepted[name] = before + [{"revision": revision, "value": value, "said": said}]

    def change(self, row):
        self.terms["price"] = row["value"]
        for part in row["item"].split(","):
            if part.strip():
                name, amount = part.split()
                next(m for m in self.plan if m["milestone"] == name)["amount"] = amount
        if not self.remainder_of():
            planned = sum((Decimal(m["amount"]) for m in self.plan), ZERO)
            if planned != self.price():
                raise Refused("not the price")

    def release(self, row):
        if not row["evidence"]:
            raise Refused("no evidence")
        if any(m["milestone"] not in self.accepted for m in self.plan):
            raise Refused("not all accepted")
        self.released = True

    def play(self, row):
        import copy

        saved = copy.deepcopy(self.__dict__)
        try:
            {"accept": self.accept, "change order": self.change, "release retention": self.release}[row["event"]](row)
            out, withheld = self.targets()
        except Refused as why:
            self.__dict__ = saved
            return str(why), {}, ZERO
        before_withheld = saved.get("withheld", ZERO)
        moved = {k: out[k] - self.billed.get(k, ZERO) for k in out if out[k] != self.billed.get(k, ZERO)}
        self.billed, self.withheld = out, withheld
        return "no", moved, withheld - before_withheld

    def text(self, value):
        return format(value.quantize(Decimal(1).scaleb(-self.coin)), "f")


def step(row, tables):
    contract = Contract(row["scenario"], tables)
    for each in (r for r in tables["Steps"] if r["scenario"] == row["scenario"]):
        refused, moved, withheld = contract.play(each)
        if each is row:
            break
    text = contract.text
    values = contract.values()
    total = sum(contract.billed.values(), ZERO)
    assert sum(values.values(), ZERO) == contract.price() or not contract.remainder_of(), row
    return {
        "= billed": ", ".join(f"{k} {text(v)}" for k, v in sorted(moved.items())) or "none",
        "= withheld": text(withheld) if withheld else "none",
        "= billed in all": text(total),
        "= withheld in all": text(getattr(contract, "withheld", ZERO)),
        "= refused": refused,
        "working": "; ".join(f"{k} {plain(v)}" for k, v in values.items()) + f" of {plain(contract.price())}",
    }


SUBJECTS = {("milestones.md", "Steps"): step}
