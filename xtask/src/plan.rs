//! Which steps of the test command run, and how that is told: a headline and the time for each, and the first failure
//! ends it with its name and the command to repeat it.

use std::time::Instant;

/// One step.
pub(crate) struct Step {
    /// How it is called on the command line.
    pub(crate) name: &'static str,
    /// Its headline.
    pub(crate) what: &'static str,
    /// Does it; an error says in one sentence what is wrong.
    pub(crate) work: fn() -> Result<(), String>,
}

/// `cargo xtask test` with its options.
pub(crate) fn test(steps: &[Step], words: &[&str]) -> Result<(), String> {
    match choose(steps, words)? {
        Choice::List => {
            for step in steps {
                println!("{:<14} {}", step.name, step.what);
            }
            Ok(())
        }
        Choice::Run(chosen) => perform(&chosen),
    }
}

/// What the options ask for.
enum Choice<'a> {
    List,
    Run(Vec<&'a Step>),
}

fn choose<'a>(steps: &'a [Step], words: &[&str]) -> Result<Choice<'a>, String> {
    let named = |option: &str, name: Option<&str>| {
        let name = name.ok_or_else(|| format!("`{option}` needs the name of a step; see `cargo xtask test --list`"))?;
        let found = steps.iter().find(|step| step.name == name);
        found
            .map(|step| step.name)
            .ok_or_else(|| format!("there is no step `{name}`; `cargo xtask test --list` names them"))
    };
    let (mut only, mut skip) = (Vec::new(), Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
        match option {
            "--list" if value.is_none() => return Ok(Choice::List),
            "--only" => only.push(named(option, value.or_else(|| words.next()))?),
            "--skip" => skip.push(named(option, value.or_else(|| words.next()))?),
            _ => return Err(format!("`cargo xtask test` does not know `{word}`; see `cargo xtask --help`")),
        }
    }
    let wanted = |step: &&Step| !skip.contains(&step.name) && (only.is_empty() || only.contains(&step.name));
    let chosen: Vec<&Step> = steps.iter().filter(wanted).collect();
    if chosen.is_empty() { Err("these options leave no step to run".into()) } else { Ok(Choice::Run(chosen)) }
}

fn perform(steps: &[&Step]) -> Result<(), String> {
    let began = Instant::now();
    for step in steps {
        println!("==> {}: {}", step.name, step.what);
        let step_began = Instant::now();
        (step.work)().map_err(|reason| {
            let name = step.name;
            format!("step `{name}` failed: {reason}\nrepeat it with: cargo xtask test --only {name}")
        })?;
        println!("==> {} passed in {:.1} s", step.name, step_began.elapsed().as_secs_f64());
    }
    let (count, plural) = (steps.len(), if steps.len() == 1 { "" } else { "s" });
    println!("all {count} step{plural} passed in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const STEPS: &[Step] = &[
        Step { name: "one", what: "first", work: || Ok(()) },
        Step { name: "two", what: "second", work: || Ok(()) },
        Step { name: "three", what: "third", work: || Ok(()) },
    ];

    /// The names of what these options choose, or the complaint.
    fn chosen(words: &[&str]) -> Result<Vec<&'static str>, String> {
        match choose(STEPS, words)? {
            Choice::List => Ok(vec!["the list"]),
            Choice::Run(steps) => Ok(steps.iter().map(|step| step.name).collect()),
        }
    }

    #[test]
    fn options_choose_and_the_order_stays() {
        for (words, expected) in [
            (&[][..], &["one", "two", "three"][..]),
            (&["--only", "three", "--only=one"], &["one", "three"]),
            (&["--skip", "two"], &["one", "three"]),
            (&["--only", "one", "--only", "two", "--skip", "one"], &["two"]),
            (&["--list"], &["the list"]),
        ] {
            assert_eq!(chosen(words).as_deref(), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn wrong_options_are_refused_with_a_way_out() {
        for (words, expected) in [
            (&["--only", "four"][..], "there is no step `four`; `cargo xtask test --list` names them"),
            (&["--skip"], "`--skip` needs the name of a step; see `cargo xtask test --list`"),
            (&["clippy"], "`cargo xtask test` does not know `clippy`; see `cargo xtask --help`"),
            (&["--list=x"], "`cargo xtask test` does not know `--list=x`; see `cargo xtask --help`"),
            (&["--only", "one", "--skip", "one"], "these options leave no step to run"),
        ] {
            assert_eq!(chosen(words).unwrap_err(), expected, "{words:?}");
        }
    }

    #[test]
    fn the_first_failure_ends_it_and_says_how_to_repeat_it() {
        static LATER: AtomicU32 = AtomicU32::new(0);
        fn later() -> Result<(), String> {
            LATER.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        let steps = [
            Step { name: "good", what: "passes", work: later },
            Step { name: "bad", what: "does not", work: || Err("it is raining".into()) },
            Step { name: "later", what: "never runs", work: later },
        ];
        let error = test(&steps, &[]).unwrap_err();
        assert_eq!(error, "step `bad` failed: it is raining\nrepeat it with: cargo xtask test --only bad");
        assert_eq!(LATER.load(Ordering::Relaxed), 1);
    }
}
