//! The rules against tables that finance can read, and their laws.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod credited;
#[cfg(test)]
mod estimate;
#[cfg(test)]
mod explanation;
#[cfg(test)]
mod fixed;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_card_cells;
#[cfg(test)]
mod golden_corrections;
#[cfg(test)]
mod golden_derived_rates;
#[cfg(test)]
mod golden_documents;
#[cfg(test)]
mod golden_fees;
#[cfg(test)]
mod golden_hour_banks;
#[cfg(test)]
mod golden_limits;
#[cfg(test)]
mod golden_milestones;
#[cfg(test)]
mod golden_overtime;
#[cfg(test)]
mod golden_periods;
#[cfg(test)]
mod golden_quantities;
#[cfg(test)]
mod golden_rate_cards;
#[cfg(test)]
mod golden_rate_lint;
#[cfg(test)]
mod golden_rates;
#[cfg(test)]
mod golden_retainers;
#[cfg(test)]
mod golden_work;
#[cfg(test)]
mod labor;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod laws_card_cells;
#[cfg(test)]
mod laws_corrections;
#[cfg(test)]
mod laws_derived_rates;
#[cfg(test)]
mod laws_documents;
#[cfg(test)]
mod laws_hour_banks;
#[cfg(test)]
mod laws_limits;
#[cfg(test)]
mod laws_milestones;
#[cfg(test)]
mod laws_overtime;
#[cfg(test)]
mod laws_parts;
#[cfg(test)]
mod laws_periods;
#[cfg(test)]
mod laws_quantities;
#[cfg(test)]
mod laws_rate_cards;
#[cfg(test)]
mod laws_rate_lint;
#[cfg(test)]
mod laws_retainers;
#[cfg(test)]
mod laws_whole;
#[cfg(test)]
mod table;
#[cfg(test)]
mod world;
