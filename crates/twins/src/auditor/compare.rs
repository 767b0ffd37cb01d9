//! Entry by entry: what must stand in the ERP against what stands there.

use super::Brief;
use super::lines::{Life, Standing, Standings, Touched, standings};
use super::price::{Content, Form, Judged, Money, Terms};
use super::status::{self, Shown};
use super::truth::{Change, Erp, Tracker, Work};
use super::verdict::Verdict;
use crate::firm::Outcome;
use domain::exception::Code;
use domain::quantity::hours_printed;
use domain::rounding::Rounding;
use std::collections::{BTreeMap, BTreeSet};

/// One entry with all that is known of its life.
pub(super) struct Case<'a> {
    pub(super) work: &'a Work,
    gone: bool,
    pub(super) judged: Judged,
    /// What it would have come to as it was before.
    versions: Vec<Content>,
    /// Lines that its reference ever named.
    told: BTreeSet<&'a str>,
    /// When the product first showed something about it.
    first_told_us: Option<i64>,
}

/// What tells that a line with an entry's content is this entry's.
#[derive(Clone, Copy)]
enum Tie {
    /// The entry's reference named it once.
    Told,
    /// The entry shows what became of it.
    Shown,
    /// Nothing but the content.
    Content,
}

impl Tie {
    fn holds(self, case: &Case<'_>, line: &Standing) -> bool {
        match self {
            Self::Told => case.told.contains(line.id.as_str()),
            Self::Shown => status::agrees(&status::shown(case.work), line).is_ok(),
            Self::Content => true,
        }
    }
}

/// Which line is whose.
struct Board<'a> {
    standings: &'a Standings,
    taken: BTreeSet<usize>,
}

impl<'a> Board<'a> {
    /// A line that fits, first one that the entry was told of.
    fn take(&mut self, case: &Case<'_>, fits: impl Fn(&Standing) -> bool) -> Option<&'a Standing> {
        let free = |(at, line): &(usize, &Standing)| !self.taken.contains(at) && fits(line);
        let all = || self.standings.lines.iter().enumerate().filter(free);
        let own = all().find(|(_, line)| case.told.contains(line.id.as_str()));
        let (at, line) = own.or_else(|| all().next())?;
        self.taken.insert(at);
        Some(line)
    }

    fn left(&self) -> impl Iterator<Item = &'a Standing> + '_ {
        let free = |(at, _): &(usize, &Standing)| !self.taken.contains(at);
        self.standings
            .lines
            .iter()
            .enumerate()
            .filter(free)
            .map(|(_, line)| line)
    }
}

pub(super) fn judge(brief: &Brief, tracker: &Tracker, erp: &Erp) -> Verdict {
    let mut verdict = Verdict::default();
    for breach in tracker.breaches.iter().chain(&erp.breaches) {
        verdict.limit_breaches += 1;
        let words = format!("{} at {}: {}", breach.kind, breach.at_us, breach.request);
        verdict.problem(words);
    }
    let terms = Terms {
        config: &brief.config,
        tracker,
        erp,
    };
    for contract in &brief.config.contracts {
        verdict.unexplained(&contract.currency.to_string(), 0);
    }
    let standings = standings(erp, brief.lost.as_ref(), &mut verdict);
    let cases = cases(&terms, tracker);
    let mut board = Board {
        standings: &standings,
        taken: BTreeSet::new(),
    };
    // What fits exactly comes first, so that a leftover of one entry is not taken for another's; and
    // of entries that are alike, the one that shows the line or its invoice before one that does not.
    let mut found: BTreeMap<&str, &Standing> = BTreeMap::new();
    for tie in [Tie::Told, Tie::Shown, Tie::Content] {
        for case in cases
            .iter()
            .filter(|case| !case.gone && case.work.approved_by.is_some())
        {
            if found.contains_key(case.work.id.as_str()) {
                continue;
            }
            let Some(content) = &case.judged.content else {
                continue;
            };
            let fits = |line: &Standing| {
                line.content == *content && line.life == Life::Live && tie.holds(case, line)
            };
            if let Some(line) = board.take(case, fits) {
                found.insert(&case.work.id, line);
            }
        }
    }
    let mut court = Court {
        brief,
        cases: &cases,
        verdict,
    };
    for case in &cases {
        let line = found.get(case.work.id.as_str()).copied();
        court.settle(case, line, &mut board);
    }
    court.agreed(erp, &mut board);
    court.leftovers(&board);
    court.named(&board);
    court.verdict
}

fn cases<'a>(terms: &Terms<'_>, tracker: &'a Tracker) -> Vec<Case<'a>> {
    let mut changes: BTreeMap<&str, Vec<&'a Change>> = BTreeMap::new();
    for change in &tracker.changes {
        changes.entry(change.id.as_str()).or_default().push(change);
    }
    let here = tracker.entries.iter().map(|work| (work, false));
    let gone = tracker.deleted.iter().map(|gone| (&gone.entry, true));
    here.chain(gone)
        .map(|(work, gone)| {
            let own = changes.get(work.id.as_str()).map_or(&[][..], Vec::as_slice);
            let past = || {
                own.iter()
                    .flat_map(|change| change.before.iter().chain(&change.after))
            };
            let mut versions = Vec::new();
            for content in past()
                .chain([work])
                .filter_map(|work| terms.judge(work).content)
            {
                if !versions.contains(&content) {
                    versions.push(content);
                }
            }
            let references = past()
                .chain([work])
                .filter_map(|work| work.erp_reference.as_deref());
            Case {
                work,
                gone,
                judged: terms.judge(work),
                versions,
                first_told_us: own
                    .iter()
                    .find(|change| change.what == "billing")
                    .map(|change| change.at_us),
                told: references.filter_map(status::line_named).collect(),
            }
        })
        .collect()
}

struct Court<'a> {
    brief: &'a Brief,
    cases: &'a [Case<'a>],
    verdict: Verdict,
}

impl Court<'_> {
    fn settle(&mut self, case: &Case<'_>, line: Option<&Standing>, board: &mut Board<'_>) {
        self.verdict.entries += 1;
        let id = &case.work.id;
        let shown = status::shown(case.work);
        if case.gone {
            if case.work.approved_by.is_some() {
                self.verdict.approved += 1;
                // A line that a person changed stays until a person decides.
                match board.take(case, |line| altered(case, line)) {
                    None => self.verdict.withdrawn += 1,
                    Some(_) => self.excepted(Code::LineAltered.text()),
                }
            }
            return;
        }
        if let Shown::Exception(code) = shown {
            if !self.excused(case, code, board) {
                let words =
                    format!("entry {id} is shown as exception {code}, which nothing explains");
                self.verdict.problem(words);
                self.verdict.not_told += 1;
            }
            self.verdict.approved += 1;
            self.excepted(code);
            if line.is_none() {
                // What was booked before it became an exception stays.
                let held = |line: &Standing| altered(case, line) || version(case, line);
                let _may_hold_one = board.take(case, held);
            }
            return;
        }
        if case.work.approved_by.is_none() {
            self.verdict.waiting += 1;
            if !matches!(shown, Shown::Nothing | Shown::Unbilled | Shown::Credited(_)) {
                self.verdict.not_told += 1;
                self.verdict
                    .problem(format!("entry {id} is not approved and shown as {shown:?}"));
            }
            return;
        }
        self.verdict.approved += 1;
        if case.judged.nothing {
            // A line of it that stands all the same is left over and found there.
            self.verdict.nothing_to_bill += 1;
            if !matches!(shown, Shown::Unbilled | Shown::Credited(_)) {
                self.verdict.not_told += 1;
                self.verdict.problem(format!(
                    "entry {id} comes to nothing and is shown as {shown:?}"
                ));
            }
            return;
        }
        let line = line.or_else(|| taken_back(case, board));
        match (line, &case.judged.content) {
            (Some(line), Some(content)) => {
                match content.form {
                    Form::Cost => self.verdict.cost_only += 1,
                    Form::Bill | Form::Timesheet => self.verdict.posted += 1,
                }
                if let Err(words) = status::agrees(&shown, line) {
                    self.verdict.not_told += 1;
                    self.verdict.problem(format!("entry {id}: {words}"));
                }
            }
            _ => self.missing(case, board),
        }
    }

    fn excepted(&mut self, code: &str) {
        *self.verdict.exceptions.entry(code.to_owned()).or_default() += 1;
    }

    /// There is no line as it must be, and nobody was told why.
    fn missing(&mut self, case: &Case<'_>, board: &mut Board<'_>) {
        let id = &case.work.id;
        let near = board.take(case, |line| {
            line.life == Life::Live && (case.told.contains(line.id.as_str()) || version(case, line))
        });
        let should = case
            .judged
            .content
            .as_ref()
            .and_then(|content| content.money.as_ref());
        if let Some(line) = near {
            self.verdict.wrong += 1;
            self.verdict.problem(format!(
                "entry {id} stands in the ERP as line {} with other content: {:?}, not {:?}",
                line.id, line.content, case.judged.content
            ));
            if let Some(is) = line.worth() {
                self.verdict
                    .unexplained(&is.currency.to_string(), is.amount_minor);
            }
        } else {
            self.verdict.lost += 1;
            let why = case.judged.code.map_or("", Code::text);
            let words =
                format!("entry {id} is approved and neither in the ERP nor an exception {why}");
            self.verdict.problem(words);
        }
        if let Some(should) = should {
            let minor = should.amount_minor.saturating_neg();
            self.verdict
                .unexplained(&should.currency.to_string(), minor);
        }
    }

    fn excused(&self, case: &Case<'_>, code: &str, board: &Board<'_>) -> bool {
        let Some(known) = Code::from_text(code) else {
            return false;
        };
        let planted = self.brief.expected.entries.get(&case.work.id);
        if case.judged.code == Some(known) || planted == Some(&Outcome::Exception { code: known }) {
            return true;
        }
        match known {
            Code::SuspectedDuplicate => self.cases.iter().any(|other| twin(case, other)),
            Code::ApprovalWithdrawn => case.work.approved_by.is_none(),
            Code::LineMissing => touched(case, board, |touched| {
                touched.deleted || touched.forgotten.iter().any(|what| what == "delete")
            }),
            Code::LineAltered | Code::KeyHeldByOtherContent => touched(case, board, |touched| {
                touched.edited || touched.deleted || !touched.forgotten.is_empty()
            }),
            // Only what a lost ledger did can be unknown to a restored one.
            Code::LineNotInLedger => touched(case, board, |touched| !touched.forgotten.is_empty()),
            // A change of a line that somebody moved to a document that takes none.
            Code::ErpRejected | Code::DocumentClosed => touched(case, board, |_| true),
            _ => false,
        }
    }

    /// Whether a restored ledger may leave a line of work that is gone: one that the lost ledger
    /// wrote, and that the product names; or nobody can, for the ledger of the backup had told
    /// nothing of the entry and the ERP lists no keys.
    fn forgotten(&self, owner: Option<&Case<'_>>, line: &Standing, board: &Board<'_>) -> bool {
        let Some(lost) = &self.brief.lost else {
            return false;
        };
        let touched = board.standings.touched.get(&line.id);
        if touched.is_none_or(|touched| touched.forgotten.is_empty()) {
            return false;
        }
        let unseen = owner.is_some_and(|case| {
            let new = case.first_told_us.is_none_or(|at_us| at_us >= lost.from_us);
            case.gone && new && !lost.lists
        });
        let gone = owner.is_none_or(|case| case.gone);
        unseen || (gone && lost.named.contains(&line.id))
    }

    /// What the product names as unknown to it has to be something that its ledger forgot.
    fn named(&mut self, board: &Board<'_>) {
        let named = self.brief.lost.iter().flat_map(|lost| &lost.named);
        for id in named {
            let touched = board.standings.touched.get(id);
            if touched.is_none_or(|touched| touched.forgotten.is_empty()) {
                self.verdict.wrong += 1;
                self.verdict.problem(format!(
                    "line {id} is named as unknown to the ledger, which nothing explains"
                ));
            }
        }
    }

    /// Every amount beside hours stands once.
    fn agreed(&mut self, erp: &Erp, board: &mut Board<'_>) {
        for agreed in &self.brief.agreed {
            let fits = |line: &(usize, &Standing)| {
                let (_, line) = line;
                let of_customer = |money: &Money| {
                    let customer = erp.customers.get(&money.customer_id);
                    customer.is_some_and(|customer| customer.code == agreed.customer)
                };
                line.life == Life::Live
                    && line.content.worker_id.is_none()
                    && line.worth().is_some_and(|money| {
                        money.amount_minor == agreed.amount_minor
                            && money.currency == agreed.currency
                            && of_customer(money)
                    })
            };
            let mut free = board.standings.lines.iter().enumerate();
            let found = free.find(|line| !board.taken.contains(&line.0) && fits(line));
            if let Some((at, _)) = found {
                board.taken.insert(at);
                self.verdict.agreed += 1;
                continue;
            }
            self.verdict.lost += 1;
            self.verdict.problem(format!(
                "{} {} minor units that customer {} agreed to are on no line",
                agreed.currency, agreed.amount_minor, agreed.customer
            ));
            let minor = agreed.amount_minor.saturating_neg();
            self.verdict
                .unexplained(&agreed.currency.to_string(), minor);
        }
    }

    /// Lines that belong to nothing as it stands.
    fn leftovers(&mut self, board: &Board<'_>) {
        for line in board.left().filter(|line| line.life == Life::Live) {
            let owner = self
                .cases
                .iter()
                .find(|case| case.told.contains(line.id.as_str()) || version(case, line));
            if self.forgotten(owner, line, board) {
                self.verdict.forgotten += 1;
                continue;
            }
            if let Some(worth) = line.worth() {
                self.verdict
                    .unexplained(&worth.currency.to_string(), worth.amount_minor);
            }
            let words = match owner {
                Some(case) if case.gone || case.work.approved_by.is_none() => {
                    self.verdict.wrong += 1;
                    format!(
                        "line {} stands although entry {} was withdrawn",
                        line.id, case.work.id
                    )
                }
                Some(case) => {
                    self.verdict.duplicates += 1;
                    format!(
                        "line {} is one too many for entry {}",
                        line.id, case.work.id
                    )
                }
                None => {
                    self.verdict.wrong += 1;
                    format!("line {} belongs to no entry: {:?}", line.id, line.content)
                }
            };
            self.verdict.problem(words);
        }
    }
}

/// A line that people credited or withdrew is where they wanted it.
fn taken_back<'a>(case: &Case<'_>, board: &mut Board<'a>) -> Option<&'a Standing> {
    board.take(case, |line| {
        matches!(line.life, Life::Credited(true) | Life::Void)
            && Some(line.ours()) == case.judged.content.as_ref()
    })
}

/// A line of the entry that a person changed after the product wrote it.
fn altered(case: &Case<'_>, line: &Standing) -> bool {
    line.written.is_some() && version(case, line)
}

/// Whether people did something to a line of the entry, or to a credit of it.
fn touched(case: &Case<'_>, board: &Board<'_>, how: impl Fn(&Touched) -> bool) -> bool {
    let versions = || {
        case.versions
            .iter()
            .filter_map(|version| version.money.as_ref())
    };
    board.standings.touched.iter().any(|(id, touched)| {
        let own = || {
            versions().any(|money| {
                touched
                    .numbers
                    .contains(&(money.quantity.micro(), money.rate))
            })
        };
        let booked = || {
            let seconds = case.versions.iter().filter_map(|version| version.seconds);
            let hours = seconds.filter_map(|s| hours_printed(s, 2, Rounding::HalfUp));
            hours
                .into_iter()
                .any(|hours| touched.hours.contains(&hours))
        };
        how(touched) && (case.told.contains(id.as_str()) || own() || booked())
    })
}

/// A line that the entry was at some time.
fn version(case: &Case<'_>, line: &Standing) -> bool {
    line.life == Life::Live && case.versions.contains(line.ours())
}

/// Whether two entries could be one piece of work.
fn twin(case: &Case<'_>, other: &Case<'_>) -> bool {
    let same = |a: &Work, b: &Work| {
        a.user_id == b.user_id && a.project_id == b.project_id && a.task_id == b.task_id
    };
    case.work.id != other.work.id && same(case.work, other.work)
}
