//! Whether the roles of the connector's user allow what it has to do. Pure.

use super::check::{bad, warning};
use super::wire::{Membership, Role};
use connector_sdk::check::CheckLine;
use std::collections::BTreeMap;

/// How many projects a line names.
const NAMES_MAX: usize = 5;

/// What a role must allow: Redmine's name, the words on its administration page, and what fails
/// without it.
const NEEDED: [(&str, &str, &str); 3] = [
    (
        "view_time_entries",
        "View spent time",
        "their time is not billed",
    ),
    (
        "edit_time_entries",
        "Edit time logs",
        "billing status cannot be shown",
    ),
    ("view_issues", "View issues", "tasks are not known"),
];

/// What the user's roles lack, per permission; pure.
pub(super) fn permission_lines(
    memberships: &[Membership],
    roles: &BTreeMap<u64, Role>,
) -> Vec<CheckLine> {
    if memberships.is_empty() {
        return vec![bad(
            "permissions",
            "The connector's user is a member of no project.",
            "Add it to the projects to bill, or to their parents with inherited members.",
        )];
    }
    let without = |allows: &dyn Fn(&Role) -> bool| -> Vec<String> {
        memberships
            .iter()
            .filter(|m| !m.roles.iter().any(|r| roles.get(&r.id).is_some_and(allows)))
            .map(|m| {
                m.project
                    .as_ref()
                    .and_then(|p| p.name.clone())
                    .unwrap_or_default()
            })
            .collect()
    };
    let mut lines = Vec::new();
    for (permission, words, loss) in NEEDED {
        let lacking = without(&|role| role.permissions.iter().any(|p| p == permission));
        if !lacking.is_empty() {
            lines.push(bad(
                "permissions",
                format!("The role lacks '{words}' in {}: {loss}.", some_of(&lacking)),
                format!("Give the role '{words}' in Administration, Roles and permissions."),
            ));
        }
    }
    let all = |visibility: &Option<String>| visibility.as_deref().is_none_or(|v| v == "all");
    let narrow = without(&|role| {
        all(&role.time_entries_visibility)
            && role.permissions.iter().any(|p| p == "view_time_entries")
    });
    if !narrow.is_empty() {
        lines.push(bad(
            "permissions",
            format!("The role sees only its own time in {}.", some_of(&narrow)),
            "Set 'Spent time visibility' of the role to 'All time entries'.",
        ));
    }
    let hidden = without(&|role| all(&role.issues_visibility));
    if !hidden.is_empty() {
        lines.push(warning(
            "permissions",
            format!("The role does not see all issues in {}.", some_of(&hidden)),
            "Set 'Issues visibility' of the role to 'All issues', or name the tasks in the crosswalk.",
        ));
    }
    if lines.is_empty() {
        let found = format!(
            "Time can be seen and its billing status written in {} projects.",
            memberships.len()
        );
        lines.push(CheckLine::good("permissions", found));
    }
    lines
}

fn some_of(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_MAX).map(String::as_str).collect();
    let rest = names.len().saturating_sub(NAMES_MAX);
    if rest == 0 {
        shown.join(", ")
    } else {
        format!("{} and {rest} more", shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_sdk::check::Verdict;

    #[test]
    fn names_what_the_roles_lack_and_where() {
        let memberships: Vec<Membership> = serde_json::from_str(
            r#"[{"project":{"id":1,"name":"One"},"roles":[{"id":4},{"id":5}]},
                {"project":{"id":2,"name":"Two"},"roles":[{"id":5}]},
                {"project":{"id":3,"name":"Three"},"roles":[{"id":9}]}]"#,
        )
        .unwrap();
        let role = |text: &str| serde_json::from_str::<Role>(text).unwrap();
        let full = r#"{"time_entries_visibility":"all","issues_visibility":"all",
            "permissions":["view_time_entries","edit_time_entries","view_issues"]}"#;
        let own = r#"{"time_entries_visibility":"own","issues_visibility":"default",
            "permissions":["view_time_entries","view_issues"]}"#;
        let roles = BTreeMap::from([(4, role(full)), (5, role(own)), (9, role(full))]);
        let lines = permission_lines(&memberships, &roles);
        let found: Vec<&str> = lines.iter().map(|line| line.found.as_str()).collect();
        assert_eq!(
            found,
            [
                "The role lacks 'Edit time logs' in Two: billing status cannot be shown.",
                "The role sees only its own time in Two.",
                "The role does not see all issues in Two."
            ]
        );
        assert!(lines.iter().all(|line| line.hint.is_some()));
        let good = permission_lines(&memberships[..1], &roles);
        assert_eq!(good[0].verdict, Verdict::Good);
        assert_eq!(permission_lines(&[], &roles)[0].verdict, Verdict::Bad);
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(some_of(&names), "1, 2, 3, 4, 5 and 2 more");
    }
}
