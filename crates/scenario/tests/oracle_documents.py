"""Documents: a draft takes changes, what is issued stays; a correction credits its line in full and
bills the new one on the next draft of the same home, or bills by how much both differ."""

from oracle_accounts import rounded


def by_difference(line, worth):
    """Quantity, rate and amount of one line that makes the one the other; 'same' if nothing does;
    None if no line does."""
    if not line or not line.get("by"):
        return None
    place = lambda one: (one["home"][:4], one["what"], one.get("by"))
    if place(line) != place(worth) or min(line["quantity"], worth["quantity"]) <= 0:
        return None
    digits, mode = line["by"]
    whole = lambda one: rounded(one["quantity"] * one["rate"], digits, mode) == one["amount"]
    if not (whole(line) and whole(worth)):
        return None
    hours, rate = line["quantity"] - worth["quantity"], line["rate"] - worth["rate"]
    amount = line["amount"] - worth["amount"]
    if not hours and not rate:
        return "same"
    if hours and rate:
        return None
    if hours:
        made = (hours, line["rate"], amount)
    else:
        made = (line["quantity"] * (1 if rate > 0 else -1), abs(rate), amount)
    return made if rounded(made[0] * made[1], digits, mode) == amount else None


class Documents:
    def __init__(self):
        self.all, self.standing, self.credits = [], {}, 0

    def draft(self, home):
        mine = [d for d in self.all if d["home"] == home]
        for document in mine:
            if document["state"] == "draft":
                return document
        again = f" #{len(mine) + 1}" if mine else ""
        name = f"{home[3]} {home[4]}{again}"
        self.all.append({"home": home, "state": "draft", "name": name, "lines": {}})
        return self.all[-1]

    def with_lines(self):
        return [d for d in self.all if d["lines"]]

    def is_issued(self, strand):
        return any(document["state"] != "draft" for document, *_ in self.standing.get(strand, []))

    def put(self, strand, name, line, worth):
        document = self.draft(line["home"])
        document["lines"][name] = line
        self.standing.setdefault(strand, []).append((document, name, line, worth))

    def credit(self, line, quantity, amount):
        self.credits += 1
        mirror = {**line, "quantity": -quantity, "amount": -amount}
        self.draft(line["home"])["lines"][f"credit {self.credits}"] = mirror

    def want(self, strand, line):
        """A pile of lines bills a strand: the lowest whole, each above it a difference."""
        pile = self.standing.setdefault(strand, [])
        while pile:
            document, name, left, worth = pile[-1]
            issued = document["state"] != "draft"
            if line == worth or (issued and by_difference(line, worth) == "same"):
                return
            pile.pop()
            if not issued:
                del document["lines"][name]
                continue
            more = by_difference(line, worth)
            if isinstance(more, tuple):
                quantity, rate, amount = more
                if quantity > 0 or rate != line["rate"]:
                    pile.append((document, name, left, worth))
                    further = {**line, "quantity": quantity, "rate": rate, "amount": amount}
                    self.put(strand, f"{strand} more {len(self.all)} {len(pile)} {self.credits}",
                             further, line)
                    return
                if left["rate"] == rate and -quantity < left["quantity"]:
                    self.credit(left, -quantity, -amount)
                    rest = {**left, "quantity": left["quantity"] + quantity,
                            "amount": left["amount"] + amount}
                    pile.append((document, name, rest, line))
                    return
            self.credit(left, left["quantity"], left["amount"])
        if line:
            self.put(strand, f"{strand} {self.credits}", line, line)

    def rebill(self, strand):
        if self.is_issued(strand):
            line = self.standing[strand][-1][3]
            self.want(strand, None)
            self.want(strand, line)

    def move(self, name, state):
        named = [d for d in self.with_lines() if d["name"] == name]
        assert len(named) == 1, (name, [d["name"] for d in self.with_lines()])
        named[0]["state"] = state
