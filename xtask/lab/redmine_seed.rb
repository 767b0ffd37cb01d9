# SPDX-License-Identifier: Apache-2.0
#
# Fills a migrated Redmine with the time-tracking side of the lab's firm: the same customers,
# projects and tasks as the ERP seed, under ids that never equal the ERP's, and a fixed
# set of time entries. Nothing is random and nothing depends on the day it runs.
#
# Run by `rails runner`. Writes $LAB_REDMINE_DIR/seed.json.
require "json"
require "digest"

ActionMailer::Base.perform_deliveries = false
ActiveJob::Base.queue_adapter = :inline # mail jobs in threads would lock each other out of SQLite
Redmine::DefaultData::Loader.load("en") if Redmine::DefaultData::Loader.no_data?

Setting.rest_api_enabled = "1"
Setting.login_required = "1"
Setting.notified_events = []
Setting.default_language = "en"

# Ids start far from where the ERP's do, so that a mixed-up id finds nothing instead of a neighbour.
NEXT_ID = { User => 101, Project => 3001, Issue => 7001, TimeEntry => 50_001 }
def numbered(record)
  kind = NEXT_ID.keys.find { |k| record.is_a?(k) }
  record.id = NEXT_ID[kind]
  NEXT_ID[kind] += 1
  record
end

out = {}

# -- people ---------------------------------------------------------------------------------------
def api_key(user)
  user.api_key # makes the token
  key = Digest::SHA1.hexdigest("counterfoil lab #{user.login}")
  Token.where(user_id: user.id, action: "api").update_all(value: key)
  key
end

def person(login, first, last, password)
  user = numbered(User.new(firstname: first, lastname: last, mail: "#{login}@kestrel.example"))
  user.login = login
  user.password = user.password_confirmation = password
  user.language = "en"
  user.mail_notification = "none"
  user.save!
  user
end

admin = User.find_by!(login: "admin")
admin.password = admin.password_confirmation = ENV.fetch("LAB_ADMIN_PASSWORD")
admin.must_change_passwd = false
admin.mail_notification = "none"
admin.save!

# login => [first name, last name, the ERP's employee code]
CONSULTANTS = {
  "ada.fox" => %w[Ada Fox E-FOX], "ben.okafor" => %w[Ben Okafor E-OKAFOR],
  "chiara.neri" => %w[Chiara Neri E-NERI], "dev.patel" => %w[Dev Patel E-PATEL],
  "emil.strand" => %w[Emil Strand E-STRAND], "fumi.sato" => %w[Fumi Sato E-SATO],
  "grace.lind" => %w[Grace Lind E-LIND], "hugo.marsh" => %w[Hugo Marsh E-MARSH]
}.freeze
password = ENV.fetch("LAB_CONNECTOR_PASSWORD")
staff = CONSULTANTS.to_h { |login, (first, last, _)| [login, person(login, first, last, password)] }
lead = person("iris.vale", "Iris", "Vale", password) # bites: the ERP has no such employee
connector = person("counterfoil", "Counterfoil", "Connector", password)

out["users"] = staff.to_h do |login, user|
  [login, { "id" => user.id, "key" => api_key(user), "mail" => user.mail, "employee" => CONSULTANTS[login][2] }]
end
out["users"]["iris.vale"] = { "id" => lead.id, "key" => api_key(lead), "mail" => lead.mail, "employee" => nil }
out["connector"] = { "id" => connector.id, "login" => "counterfoil", "key" => api_key(connector) }
out["admin"] = { "id" => admin.id, "login" => "admin", "key" => api_key(admin) }

consultant_role = Role.find_by!(name: "Developer")
lead_role = Role.find_by!(name: "Manager")
connector_role = Role.new(name: "Connector", issues_visibility: "all", time_entries_visibility: "all", users_visibility: "all")
connector_role.permissions = %i[
  view_issues add_issues edit_issues view_time_entries log_time log_time_for_other_users
  edit_time_entries edit_project add_subprojects manage_members close_project
]
connector_role.save!

# -- fields and activities ------------------------------------------------------------------------
def field(kind, name, format, values: nil, default: nil, **extra)
  f = kind.new(name: name, field_format: format, is_filter: true, is_required: false, visible: true, **extra)
  f.possible_values = values if values
  f.default_value = default if default
  f.save!
  f
end

statuses = ["Unbilled", "Held", "Cost only", "Posted", "Invoiced", "Paid", "Credited", "Exception"]
approval = field(TimeEntryCustomField, "Approval", "list", values: %w[Submitted Approved Rejected], default: "Submitted")
billable = field(TimeEntryCustomField, "Billable", "bool", default: "1")
status = field(TimeEntryCustomField, "Billing status", "list", values: statuses, default: "Unbilled")
reference = field(TimeEntryCustomField, "ERP reference", "string", max_length: 255)
erp_customer = field(ProjectCustomField, "ERP customer", "string")
erp_project = field(ProjectCustomField, "ERP project", "string")
trackers = Tracker.order(:id).to_a
erp_task = field(IssueCustomField, "ERP task", "string", is_for_all: true, trackers: trackers)
out["custom_fields"] = {
  "time_entry" => { "approval" => approval.id, "billable" => billable.id,
                    "billing_status" => status.id, "erp_reference" => reference.id },
  "project" => { "erp_customer" => erp_customer.id, "erp_project" => erp_project.id },
  "issue" => { "erp_task" => erp_task.id }
}
out["approval_values"] = %w[Submitted Approved Rejected]
out["billing_status_values"] = statuses

activity = %w[Consulting Development Travel Internal].to_h do |name|
  a = TimeEntryActivity.shared.find_by(name: name) || TimeEntryActivity.create!(name: name)
  a.update!(active: true)
  [name, a]
end
TimeEntryActivity.shared.where.not(name: activity.keys).find_each { |a| a.update!(active: false) }
out["activities"] = activity.transform_values(&:id)

# -- projects and issues --------------------------------------------------------------------------
# [identifier, name, customer code, customer name, ERP project, [[subject, ERP task, activity]]]
PROJECTS = [
  ["acme-rollout", "Plant rollout", "C-ACME", "Acme Manufacturing", "P-ACME-TM",
   [["Analysis", "T-ACME-ANALYSIS", "Consulting"], ["Build", "T-ACME-BUILD", "Development"],
    ["Site visits", "T-ACME-TRAVEL", "Travel"], ["Change request 7", nil, "Consulting"]]],
  ["acme-migration", "Data migration", "C-ACME", "Acme Manufacturing", "P-ACME-FX",
   [["Migration", "T-ACME-MIGRATE", "Development"], ["Acceptance", "T-ACME-ACCEPT", "Consulting"]]],
  ["borealis-training", "Shop training", "C-BORE", "Borealis Books", "P-BORE-TM",
   [["Phase one", "T-BORE-PHASE1", "Consulting"], ["Classroom", "T-BORE-TRAIN", "Consulting"]]],
  ["cobalt-platform", "Records platform", "C-COBA", "Cobalt Health", "P-COBA-TM",
   [["Analysis", "T-COBA-ANALYSIS", "Consulting"], ["Build", "T-COBA-BUILD", "Development"]]],
  ["daikoku-entry", "Market entry", "C-DAIK", "Daikoku Trading", "P-DAIK-TM",
   [["Advisory", "T-DAIK-ADVISE", "Consulting"], ["Build", "T-DAIK-BUILD", "Development"]]],
  ["elmwood-review", "Discovery review", "C-ELMW", "Elmwood Legal", "P-ELMW-TM",
   [["Advisory", "T-ELMW-ADVISE", "Consulting"], ["Review", "T-ELMW-REVIEW", "Development"]]],
  ["internal", "Internal", nil, nil, "P-INT",
   [["Learning", "T-INT-LEARN", "Internal"], ["Administration", "T-INT-ADMIN", "Internal"]]],
  ["pilot", "Unsigned pilot", nil, nil, nil, [["Prototype", nil, "Development"]]] # bites: no ERP project
].freeze

def project(identifier, name, trackers, values)
  p = numbered(Project.new(name: name, identifier: identifier))
  p.is_public = false
  p.trackers = trackers
  p.enabled_module_names = %w[issue_tracking time_tracking]
  p.custom_field_values = values
  p.save!
  p
end

members = staff.values.map { |u| [u, consultant_role] } + [[lead, lead_role], [connector, connector_role]]
open_status = IssueStatus.find_by!(name: "New")
priority = IssuePriority.default || IssuePriority.first
parents = {}
work = [] # [project, issue, activity name, ERP project, ERP task]
out["customers"] = {}
out["projects"] = {}
PROJECTS.each do |identifier, name, customer, customer_name, erp, issues|
  if customer && !parents.key?(customer)
    parent = project(customer_name.parameterize, customer_name, trackers, { erp_customer.id.to_s => customer })
    members.each { |user, role| Member.create!(project: parent, principal: user, roles: [role]) }
    parents[customer] = parent
    out["customers"][customer] = { "id" => parent.id, "identifier" => parent.identifier }
  end
  values = { erp_project.id.to_s => erp.to_s, erp_customer.id.to_s => customer.to_s }
  pr = project(identifier, name, trackers, values)
  pr.set_parent!(parents[customer]) if customer
  members.each { |user, role| Member.find_by(project_id: pr.id, user_id: user.id) || Member.create!(project: pr, principal: user, roles: [role]) }
  out["projects"][identifier] = { "id" => pr.id, "customer" => customer, "erp_project" => erp, "issues" => {} }
  issues.each do |subject, task, act|
    issue = numbered(Issue.new(project: pr, tracker: trackers.first, author: admin, subject: subject,
                               status: open_status, priority: priority))
    issue.custom_field_values = { erp_task.id.to_s => task.to_s }
    issue.save!
    out["projects"][identifier]["issues"][subject] = { "id" => issue.id, "erp_task" => task, "activity" => act }
    work << [pr, issue, act, erp, task]
  end
end

# -- time entries ---------------------------------------------------------------------------------
# 0.17, 0.67 and 1.33 h are 10, 40 and 80 minutes as Redmine rounds them.
HOURS = [0.17, 2.0, 0.67, 4.0, 1.33, 7.99, 0.5, 3.75, 1.0, 6.5, 0.25, 8.0, 1.5, 2.25, 3.0].freeze
# first day, last day, entries per working day
SPANS = [["2025-12-08", "2025-12-19", 2], ["2026-01-12", "2026-01-23", 2], ["2026-02-16", "2026-02-27", 1],
         ["2026-10-01", "2026-10-30", 6], ["2026-11-02", "2026-11-20", 6]].freeze
LEFT = Date.new(2026, 3, 31)        # the last day of hugo.marsh
TASK_CLOSED = Date.new(2026, 2, 28) # the last bookable day of T-BORE-PHASE1

entries = []
book = lambda do |user, (pr, issue, act, erp, task), date, hours, approved, bill, comment|
  entry = numbered(TimeEntry.new(project: pr, issue: issue, user: user, author: user, hours: hours,
                                 activity: activity.fetch(act), spent_on: date, comments: comment))
  entry.custom_field_values = { approval.id.to_s => approved, billable.id.to_s => bill, status.id.to_s => "Unbilled" }
  entry.save!
  stamp = date.to_time(:utc) + 1.day + 8.hours
  entry.update_columns(created_on: stamp, updated_on: stamp)
  entries << [entry, erp, task, approved, bill]
  entry
end

current = work.reject { |w| w[4] == "T-BORE-PHASE1" || w[1].subject == "Change request 7" }
early = work.reject { |w| %w[P-DAIK-TM P-ELMW-TM].include?(w[3]) || w[1].subject == "Change request 7" }
people = staff.values
n = 0
TimeEntry.transaction do
  SPANS.each do |first, last, per_day|
    (Date.parse(first)..Date.parse(last)).each do |date|
      next if date.saturday? || date.sunday?

      present = date > LEFT ? people.reject { |u| u.login == "hugo.marsh" } : people
      pool = date > TASK_CLOSED ? current : early
      per_day.times do
        unit = pool[(n * 7 + n / pool.size) % pool.size]
        approved = n % 3 < 2 ? "Approved" : (n % 7 == 2 ? "Rejected" : "Submitted")
        bill = n % 9 == 4 || (unit[3] == "P-INT" && n % 4 != 0) ? "0" : "1"
        book.call(present[n % present.size], unit, date, HOURS[(n * 4 + n / 15) % HOURS.size], approved, bill,
                  "#{unit[1].subject}, note #{n + 1}")
        n += 1
      end
    end
  end

  # Single cases that a test names.
  by_task = work.to_h { |w| [w[4], w] }
  fox = staff.fetch("ada.fox")
  build = by_task.fetch("T-ACME-BUILD")
  no_issue = [build[0], nil, "Consulting", "P-ACME-TM", nil]
  request = work.find { |w| w[1].subject == "Change request 7" }
  out["cases"] = {
    "after_employee_left" => book.call(staff.fetch("hugo.marsh"), build, Date.new(2026, 10, 14), 2.0, "Approved", "1", "Handover call").id,
    "after_task_closed" => book.call(fox, by_task.fetch("T-BORE-PHASE1"), Date.new(2026, 10, 15), 1.5, "Approved", "1", "Late phase one work").id,
    "without_issue" => book.call(fox, no_issue, Date.new(2026, 11, 10), 0.67, "Approved", "1", "Steering committee").id,
    "issue_without_erp_task" => book.call(fox, request, Date.new(2026, 11, 11), 1.33, "Approved", "1", "Change request workshop").id,
    "person_without_employee" => book.call(lead, build, Date.new(2026, 11, 12), 1.0, "Approved", "1", "Lead review").id,
    "without_comment" => book.call(fox, build, Date.new(2026, 11, 13), 0.17, "Approved", "1", nil).id,
    "weekend" => book.call(staff.fetch("ben.okafor"), build, Date.new(2026, 11, 14), 7.99, "Approved", "1", "Cut-over on Saturday").id,
    "same_day_twice" => [1, 2].map { book.call(fox, build, Date.new(2026, 11, 16), 1.33, "Approved", "1", "Same text, same hours").id },
    "text_beyond_ascii" => book.call(fox, build, Date.new(2026, 11, 17), 0.25, "Approved", "1", "Besprechung „Übergabe“, 引き継ぎ, café ✓").id
  }
end

cents = ->(list) { list.sum { |e| (e[0].hours * 100).round } }
ready = entries.select { |e| e[3] == "Approved" && e[4] == "1" }
out["time_entries"] = {
  "count" => entries.size,
  "first_id" => entries.first[0].id,
  "last_id" => entries.last[0].id,
  "by_approval" => entries.group_by { |e| e[3] }.transform_values(&:size),
  "not_billable" => entries.count { |e| e[4] == "0" },
  "approved_billable" => ready.size,
  "by_month" => entries.group_by { |e| e[0].spent_on.strftime("%Y-%m") }.transform_values(&:size),
  "by_erp_project" => entries.group_by { |e| e[1] || "none" }.transform_values(&:size),
  "hundredths_of_hours" => cents.call(entries),
  "approved_billable_hundredths_by_erp_project" => ready.group_by { |e| e[1] || "none" }.transform_values(&cents)
}
File.write(File.join(ENV.fetch("LAB_REDMINE_DIR"), "seed.json"), JSON.pretty_generate(out))
