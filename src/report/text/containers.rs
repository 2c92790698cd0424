//! The gaps of one container, told together: what is missing at one place needs to show the place once.

use std::io::{self, Write};

use super::{Page, wrap};
use crate::escape::plain;
use crate::finding::{Finding, Status};
use crate::source::Span;

/// Groups of findings that are told together; in the order of the first of each.
pub(super) fn blocks(groups: Vec<Vec<&Finding>>) -> Vec<Vec<Vec<&Finding>>> {
    let mut blocks: Vec<Vec<Vec<&Finding>>> = Vec::new();
    let mut known: std::collections::BTreeMap<(Span, &str), usize> = std::collections::BTreeMap::new();
    for group in groups {
        let place = (group.len() == 1).then(|| container(group[0])).flatten().map(|name| (group[0].at, name));
        match place.and_then(|place| known.get(&place).copied()) {
            Some(block) => blocks[block].push(group),
            None => {
                known.extend(place.map(|place| (place, blocks.len())));
                blocks.push(vec![group]);
            }
        }
    }
    blocks
}

/// `Deployment/shop/web: container app`, with which the message of a finding about a container begins; none where the finding
/// has more to show than its message.
fn container(finding: &Finding) -> Option<&str> {
    if finding.sensitive || finding.possible || !finding.related.is_empty() || !finding.tools.is_empty() {
        return None;
    }
    let rest = finding.message.strip_prefix(&*finding.address)?.strip_prefix(": container ")?;
    let name = rest.split(": ").next().filter(|name| name.len() < rest.len())?;
    let end = finding.message.len() - rest.len() + name.len();
    finding.message.get(..end)
}

impl Page<'_> {
    /// The place once, and a line or two for each rule.
    pub(super) fn gaps(&self, block: &[Vec<&Finding>], out: &mut dyn Write) -> io::Result<()> {
        let worst = block[0][0];
        let name = container(worst).unwrap_or_default();
        let old = if worst.status == Some(Status::Old) { " (old)" } else { "" };
        self.head(worst, &format!("{}{old}: {} gaps", plain(name), block.len()), out)?;
        let blank = self.place(worst, out)?;
        for finding in block.iter().flatten() {
            let message = finding.message.strip_prefix(name).unwrap_or(&finding.message).trim_start_matches(": ");
            let columns = self.width.saturating_sub(blank.len() + 3);
            let text = format!("{} {}: {}", finding.severity.name(), plain(&finding.rule), plain(message));
            let mut lines = wrap(&text, columns, columns.saturating_sub(2)).into_iter();
            let first = lines.next().unwrap_or_default();
            let rest = first.strip_prefix(finding.severity.name()).unwrap_or(&first);
            let severity = self.paint.severity(finding.severity, finding.severity.name());
            writeln!(out, "{blank} {} {severity}{rest}", self.paint.dim("="))?;
            lines.try_for_each(|line| writeln!(out, "{blank}     {line}"))?;
        }
        writeln!(out)
    }
}
