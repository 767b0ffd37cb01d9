"""Documents: a draft takes changes, what is issued stays; a correction credits its line in full and
bills the new one on the next draft of the same home."""


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
        stands = self.standing.get(strand)
        return bool(stands) and stands[0]["state"] != "draft"

    def want(self, strand, line):
        stands = self.standing.get(strand)
        if stands:
            document, name = stands
            held = document["lines"][name]
            if line == held:
                return
            del self.standing[strand]
            if document["state"] == "draft":
                del document["lines"][name]
            else:
                self.credits += 1
                mirror = {**held, "quantity": -held["quantity"], "amount": -held["amount"]}
                self.draft(held["home"])["lines"][f"credit {self.credits}"] = mirror
        if line:
            document = self.draft(line["home"])
            name = f"{strand} {self.credits}"
            document["lines"][name] = line
            self.standing[strand] = (document, name)

    def rebill(self, strand):
        if self.is_issued(strand):
            document, name = self.standing[strand]
            line = document["lines"][name]
            self.want(strand, None)
            self.want(strand, line)

    def move(self, name, state):
        named = [d for d in self.with_lines() if d["name"] == name]
        assert len(named) == 1, (name, [d["name"] for d in self.with_lines()])
        named[0]["state"] = state
