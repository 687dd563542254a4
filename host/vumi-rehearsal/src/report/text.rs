//! What came of a rehearsal, for people.

use console::Style;

use super::count;
use super::screens::side_by_side;
use crate::coverage::Coverage;
use crate::outcome::{Failure, FilePlayed, Played, Problem, Rehearsal};

/// The report: a line for each file, what failed, the summary, and the coverage where there is one.
pub fn text(rehearsal: &Rehearsal, coverage: Option<&Coverage>, colours: bool) -> String {
    let mut lines: Vec<String> = rehearsal.files.iter().map(|file| file_line(file, colours)).collect();
    for played in rehearsal.conversations().filter(|played| !played.is_ok()) {
        lines.push(String::new());
        lines.extend(failed(played, colours));
    }
    lines.push(String::new());
    lines.push(summary(rehearsal, colours));
    lines.extend(coverage.into_iter().flat_map(covered));
    lines.join("\n")
}

fn styled(text: &str, style: Style, colours: bool) -> String {
    style.force_styling(colours).apply_to(text).to_string()
}

fn verdict(ok: bool, colours: bool) -> String {
    match ok {
        true => styled("ok    ", Style::new().green(), colours),
        false => styled("FAILED", Style::new().red().bold(), colours),
    }
}

fn file_line(file: &FilePlayed, colours: bool) -> String {
    let (all, failed) = (file.conversations.len(), file.failed());
    let skipped = file.conversations.iter().filter(|one| one.skipped.is_some()).count();
    let mut line = format!("{}  {}  ", verdict(failed == 0, colours), file.name);
    line.push_str(&match failed {
        0 => count(all, "conversation"),
        failed => format!("{failed} of {} failed", count(all, "conversation")),
    });
    if skipped > 0 {
        line.push_str(&format!(", {skipped} skipped"));
    }
    line
}

/// A conversation that failed.
pub(super) fn failed(played: &Played, colours: bool) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", verdict(false, colours), played.name)];
    for failure in &played.failures {
        lines.push(format!("  {}  {}", styled(&failure.place.to_string(), Style::new().bold(), colours), failure.what));
        lines.extend(told(failure, colours));
    }
    lines
}

fn told(failure: &Failure, colours: bool) -> Vec<String> {
    let indented = |text: &str| text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>();
    let mut lines = Vec::new();
    for problem in &failure.problems {
        lines.extend(indented(problem.sentence()));
        if let Problem::Screens { pairs, .. } = problem {
            lines.push(String::new());
            lines.extend(side_by_side(pairs, colours));
        }
    }
    if !failure.log.is_empty() {
        lines.push("  log of this step:".to_owned());
        lines.extend(failure.log.iter().flat_map(|line| indented(line)).map(|line| format!("  {line}")));
    }
    lines
}

fn summary(rehearsal: &Rehearsal, colours: bool) -> String {
    let (mut all, mut steps, mut skipped) = (0, 0, 0);
    for played in rehearsal.conversations() {
        all += 1;
        steps += played.steps;
        skipped += usize::from(played.skipped.is_some());
    }
    let failed = rehearsal.failed();
    let mut text = format!(
        "{}, {} in {:.0} ms ({:.0} conversations a second)",
        count(all, "conversation"),
        count(steps, "step"),
        rehearsal.took.as_secs_f64() * 1e3,
        rehearsal.rate()
    );
    if skipped > 0 {
        text.push_str(&format!(", {skipped} skipped"));
    }
    let end = if failed == 0 { "all as expected".to_owned() } else { format!("{failed} failed") };
    let style = if failed == 0 { Style::new().green() } else { Style::new().red().bold() };
    format!("{text}: {}", styled(&end, style, colours))
}

fn covered(coverage: &Coverage) -> Vec<String> {
    let mut lines = vec![format!(
        "coverage: {} of {} entered, {} of {} taken",
        coverage.states - coverage.never_entered.len(),
        count(coverage.states, "state"),
        coverage.ways - coverage.never_taken.len(),
        count(coverage.ways, "way")
    )];
    if !coverage.never_entered.is_empty() {
        lines.push(format!("  never entered: {}", coverage.never_entered.join(", ")));
    }
    lines.extend(coverage.never_taken.iter().map(|way| {
        let label = way.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
        format!("  never taken: {} → {}{label}", way.from, way.to)
    }));
    lines
}
