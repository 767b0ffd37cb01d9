"""Killed at every point and started again: each charge exactly once, in both uniqueness modes."""
import unittest

import lab

POINTS = (
    "masters-read", "snapshot-written", "scan-read", "page-admitted", "batch-chosen",
    "intent-written", "call-returned", "outcome-written", "look-up-due", "look-up-returned",
    "look-up-written", "states-read", "states-written", "tell-due", "told", "told-written",
)
LOOK_UPS = ("look-up-due", "look-up-returned", "look-up-written")


@unittest.skipUnless(lab.available(), "the lab is not running")
class Kill(unittest.TestCase):
    def play(self, unique, first_day, day, today):
        firm = lab.Firm("kill" + ("key" if unique else "plain"), first_day, today, unique=unique)
        redmine = lab.Redmine()
        billed = redmine.issue("acme-rollout", "Analysis")
        fixed = redmine.issue("acme-migration", "Acceptance")
        entries = []
        expected_lines, expected_times = 0, 0
        try:
            for number, point in enumerate(POINTS):
                # One billed and one cost entry for every point, so that each passes on new work.
                hours = f"{1 + number * 0.25:.2f}"
                entries.append(redmine.add("ada.fox", billed, day, hours, comment=f"kill {point}"))
                entries.append(redmine.add("ben.okafor", fixed, day, hours, comment=f"kill {point}"))
                expected_lines, expected_times = expected_lines + 1, expected_times + 1
                if point in LOOK_UPS:
                    # Something must be in doubt before it can be looked up.
                    died = firm.run("sync", "--today", today, crash="call-returned:1")
                    self.assertLess(died.returncode, 0, "the process did not die")
                died = firm.run("sync", "--today", today, crash=f"{point}:1")
                self.assertLess(died.returncode, 0, f"{point} was not passed: {died.stdout}")
                firm.sync()
                lines, times = firm.erp.lines(), firm.erp.times()
                self.assertEqual(len(lines), expected_lines, f"lines after {point}")
                self.assertEqual(len(times), expected_times, f"time lines after {point}")
                self.assertEqual(len({line["description"] for line in lines}), expected_lines)
            again = firm.sync()
            self.assertEqual((again["posted"], again["revisions"], again["told"]), (0, 0, 0))
            for entry in entries[::2]:
                self.assertEqual(redmine.shown(entry)[0], "Posted")
            for entry in entries[1::2]:
                self.assertEqual(redmine.shown(entry)[0], "Cost only")
            firm.verify()
            firm.ties_out()
        finally:
            for entry in entries:
                redmine.delete(entry)

    def test_with_the_unique_key(self):
        self.play(True, "2025-03-01", "2025-03-10", "2025-03-31")

    def test_by_look_up(self):
        self.play(False, "2025-05-01", "2025-05-12", "2025-05-31")


if __name__ == "__main__":
    unittest.main(verbosity=2)
