//! The product between both twins where nothing breaks, and one thing happens at one moment.

#[cfg(test)]
mod acts;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod differences;
#[cfg(test)]
mod fixed;
#[cfg(test)]
mod grouped;
#[cfg(test)]
mod issued;
#[cfg(test)]
mod line_allowance;
#[cfg(test)]
mod nested;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod nothing;
#[cfg(test)]
mod parted;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod parts_killed;
#[cfg(test)]
mod parts_restored;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod rehearsed;
#[cfg(test)]
mod repriced;
#[cfg(test)]
mod residual;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod shared_killed;
#[cfg(test)]
mod shared_previewed;
#[cfg(test)]
mod shared_restored;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod units;
