//! The nearest name, for hints.

/// The candidate nearest to `name`, if it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&wanted, &c.to_lowercase()), c))
        .filter(|(distance, _)| *distance <= 1 + wanted.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// `Perhaps you meant "x".`, or the choices when none is near.
pub(crate) fn hint(what: &str, name: &str, candidates: &[String]) -> String {
    const SHOWN_MAX: usize = 20;
    if let Some(near) = nearest(name, candidates.iter().map(String::as_str)) {
        return format!("Perhaps you meant the {what} \"{near}\".");
    }
    if candidates.is_empty() {
        return format!("There is no {what}.");
    }
    let mut shown: Vec<_> = candidates.iter().take(SHOWN_MAX).cloned().collect();
    if candidates.len() > SHOWN_MAX {
        shown.push(format!("and {} more", candidates.len() - SHOWN_MAX));
    }
    format!("The valid choices are: {}.", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let names = ["customers".to_owned(), "invoices".to_owned()];
        assert_eq!(
            hint("table", "custmers", &names),
            "Perhaps you meant the table \"customers\"."
        );
        assert_eq!(
            hint("table", "x", &names),
            "The valid choices are: customers, invoices."
        );
    }
}
