//! The product between both twins where nothing breaks, and one thing happens at one moment.

#[cfg(test)]
mod issued;
#[cfg(test)]
mod nothing;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod stage;
