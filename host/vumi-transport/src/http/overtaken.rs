//! Reports that overtake the answer which says what message they are about.
//!
//! A network gives a message an id in its answer, and names that id in its reports. The report may be here before the
//! answer has been read and its id kept; then it is worth a moment's wait.

use std::time::Duration;

use vumi_core::Result;

/// How often is looked, and how long waited in between.
const LOOKS: u32 = 11;
const GAP: Duration = Duration::from_millis(150);

/// What `find` finds for each of the network's ids. Those that it does not find yet are waited for together, for a
/// second and a half at most.
///
/// # Errors
/// Those of `find`.
pub async fn find_soon<'a, F, Fut>(ids: &[&'a str], find: F) -> Result<Vec<Option<String>>>
where
    F: Fn(&'a str) -> Fut,
    Fut: Future<Output = Result<Option<String>>>,
{
    let mut found = vec![None; ids.len()];
    for look in 1..=LOOKS {
        for (found, id) in found.iter_mut().zip(ids) {
            if found.is_none() {
                *found = find(id).await?;
            }
        }
        if found.iter().all(Option::is_some) || look == LOOKS {
            break;
        }
        tokio::time::sleep(GAP).await;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_late_is_waited_for_together() {
        let (began, looks) = (Instant::now(), AtomicU32::new(0));
        let find = |id: &'static str| {
            let look = looks.fetch_add(1, Ordering::Relaxed);
            async move {
                let there = match id {
                    "known" => true,
                    "late" => look >= 4,
                    _ => false,
                };
                Ok(there.then(|| format!("own {id}")))
            }
        };
        let own = |id: &str| Some(format!("own {id}"));
        assert_eq!(find_soon(&["known"], find).await.unwrap(), [own("known")]);
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(find_soon(&["late", "known"], find).await.unwrap(), [own("late"), own("known")]);
        assert_eq!(began.elapsed(), GAP * 2);
        assert_eq!(find_soon(&["never", "known", "never"], find).await.unwrap(), [None, own("known"), None]);
        assert_eq!(began.elapsed(), GAP * (2 + LOOKS - 1));
        assert_eq!(find_soon(&[], find).await.unwrap(), Vec::<Option<String>>::new());
    }
}
