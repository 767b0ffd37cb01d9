//! Drafts: made with their first lines in one call, given more lines through themselves, and read
//! back, since Tryton answers no ids for lines.

use super::Tryton;
use super::defaults::Buyer;
use super::errors::Fault;
use super::json::Json;
use super::states::{Invoice, parse_ref};
use super::wire::date;
use connector_sdk::call::CallError;
use connector_sdk::target::{Call, DocumentHead, LineOutcome, PostBatch};
use domain::exception::{Code, Problem};

/// A write that succeeded and could not be read back is in doubt, whatever went wrong.
pub(super) fn in_doubt(error: &CallError) -> CallError {
    CallError::Ambiguous {
        words: format!("written, but not read back: {error}"),
    }
}

impl Tryton {
    /// One write: the draft with its lines, or lines through their draft. Answers the draft's id.
    pub(super) async fn send_lines(
        &self,
        call: &Call,
        head: &DocumentHead,
        buyer: Buyer,
        lines: Vec<Json>,
    ) -> Result<Result<i64, Problem>, Fault> {
        let facts = self.facts().await?;
        let nested = Json::List(vec![Json::List(vec![
            Json::text("create"),
            Json::List(lines),
        ])]);
        let draft = match head.erp_ref.as_deref() {
            Some(erp_ref) => {
                let id = parse_ref(erp_ref).unwrap_or_default();
                let known = self.invoices(&[id], false).await?.remove(&id);
                let Some(known) = known else {
                    let gone = "the draft is no longer in Tryton";
                    return Ok(Err(Problem::new(Code::LineMissing, gone)));
                };
                Some(known)
            }
            None => self.invoice_of_key(&head.document_key, false).await?,
        };
        if let Some(draft) = draft {
            if let Err(problem) = takes(&draft, head, buyer) {
                return Ok(Err(problem));
            }
            let change = Json::object([("lines", nested)]);
            let params = vec![Json::ints(&[draft.id]), change];
            let method = "model.account.invoice.write";
            self.rpc
                .write(call, method, params, &facts.context())
                .await?;
            return Ok(Ok(draft.id));
        }
        let mut members = match self.head_defaults(head, buyer.party).await? {
            Ok(members) => members,
            Err(problem) => return Ok(Err(problem)),
        };
        members.extend(
            [
                ("type", Json::text("out")),
                ("company", Json::int(facts.company)),
                ("party", Json::int(buyer.party)),
                ("currency", Json::int(buyer.currency)),
                ("invoice_date", date(head.document_date)),
                ("description", Json::text(one_line(&head.label))),
                (self.document_key_field(), Json::text(&head.document_key)),
                ("lines", nested),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let params = vec![Json::List(vec![Json::Object(members)])];
        let method = "model.account.invoice.create";
        let created = self
            .rpc
            .write(call, method, params, &facts.context())
            .await?;
        let id = created
            .items()
            .and_then(|ids| ids.first())
            .and_then(Json::as_int);
        id.map(Ok).ok_or_else(|| {
            Fault::Call(CallError::Ambiguous {
                words: "the created invoice's id is missing from the answer".to_owned(),
            })
        })
    }

    /// Where the written lines stand. The server answers no ids for lines.
    pub(super) async fn read_back(
        &self,
        batch: &PostBatch,
        open: &[usize],
        document: i64,
        outcomes: &mut [Option<LineOutcome>],
    ) -> Result<(), CallError> {
        let line_at = |index: &usize| batch.lines.get(*index);
        let keys: Vec<String> = open
            .iter()
            .filter_map(line_at)
            .map(|line| line.line_key.clone())
            .collect();
        let written = self
            .lines_by_key(&keys)
            .await
            .map_err(|error| in_doubt(&error))?;
        for index in open {
            let line = line_at(index).and_then(|line| written.get(&line.line_key));
            let (Some(line), Some(slot)) = (line, outcomes.get_mut(*index)) else {
                return Err(CallError::Ambiguous {
                    words: "written, but a line is not found by its key".to_owned(),
                });
            };
            let document_ref = Some(line.invoice.unwrap_or(document).to_string());
            *slot = Some(LineOutcome::Done {
                line_ref: line.id.to_string(),
                document_ref,
            });
        }
        Ok(())
    }
}

/// A text for a field of one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a draft is still what the document says, and takes lines. Tryton itself would accept
/// lines of another customer's document.
pub(super) fn takes(draft: &Invoice, head: &DocumentHead, buyer: Buyer) -> Result<(), Problem> {
    let name = draft.name();
    let refuse = |facts: String| Err(Problem::new(Code::ErpRejected, facts));
    if !draft.takes_lines {
        return Err(Problem::new(
            Code::DocumentClosed,
            format!(
                "the invoice {name} is {} and takes no lines",
                draft.state_name
            ),
        ));
    }
    if draft.party != buyer.party {
        return refuse(format!("the draft {name} was given to another customer"));
    }
    if draft.currency != head.currency {
        return refuse(format!(
            "the draft {name} is in {}, not {}",
            draft.currency, head.currency
        ));
    }
    Ok(())
}
