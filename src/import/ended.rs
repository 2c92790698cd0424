//! How the runs of a tool ended, by its own words: one that failed has not looked at everything, so that what it does not say
//! proves nothing.

use super::form::{Invocation, Notification, Run};
use super::message;
use super::read::Trouble;

/// Errors of one run that are told one by one.
const MAX_ERRORS: usize = 20;

/// What a run says of itself that keeps its results from being all that there is to find.
pub(super) fn troubles(run: &Run, name: &str) -> Vec<Trouble> {
    const AGAIN: &str = "see its log, mend what made it fail, and run it again";
    let invocations = run.invocations.as_deref().unwrap_or_default();
    let has_results = run.results.as_ref().is_some_and(|results| !results.is_empty());
    let mut troubles = Vec::new();
    for invocation in invocations {
        if let Some(how) = failure(invocation, has_results) {
            troubles.push((format!("says that {name} {how}"), AGAIN));
        }
    }
    let errors: Vec<&Notification> = invocations.iter().flat_map(errors).collect();
    for error in errors.iter().take(MAX_ERRORS) {
        let said = message::of(error.message.as_ref(), None, &run.tool.driver);
        let said = if said.is_empty() { "without saying which".into() } else { said };
        troubles.push((
            format!("says: {name} reports an error: {said}"),
            "mend it, or have the tool leave out what it can't read",
        ));
    }
    if errors.len() > MAX_ERRORS {
        troubles.push((format!("says: {name} reports {} errors more", errors.len() - MAX_ERRORS), AGAIN));
    }
    troubles
}

/// How an invocation failed. Many scanners exit with 1 where they find something, so a code alone tells only of a run without
/// results.
fn failure(invocation: &Invocation, has_results: bool) -> Option<String> {
    if let Some(reason) = invocation.process_start_failure_message.as_deref() {
        return Some(format!("did not start: {}", message::one_line(reason)));
    }
    if let Some(signal) = invocation.exit_signal_number.filter(|signal| *signal != 0) {
        return Some(format!("was ended by signal {signal}"));
    }
    if let Some(signal) = invocation.exit_signal_name.as_deref().filter(|signal| !signal.is_empty()) {
        return Some(format!("was ended by signal {}", message::one_line(signal)));
    }
    match (invocation.execution_successful, invocation.exit_code) {
        (Some(false), _) => Some("did not finish".into()),
        (None, Some(code)) if code != 0 && !has_results => Some(format!("exited with {code}, and has no results")),
        _ => None,
    }
}

/// What went wrong by its own words, in how it was set up and while it ran.
fn errors(invocation: &Invocation) -> impl Iterator<Item = &Notification> {
    let all = [&invocation.tool_configuration_notifications, &invocation.tool_execution_notifications];
    all.into_iter().flatten().flatten().filter(|one| one.level.as_deref() == Some("error"))
}
