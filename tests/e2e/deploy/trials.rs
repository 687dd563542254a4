//! A new version on trial: for a share of the conversations, and in the shadow of the live one.

use serde_json::json;
use vumi_tests::deploy::order;
use vumi_tests::guests::scratch;
use vumi_tests::until;

use super::{asks, is_stamp, phone, start, uploaded};

#[test]
fn a_share_of_the_conversations_goes_over_and_comes_back() {
    let folder = scratch();
    let host = start(folder.path(), None);
    uploaded(&host, 1, "activate=true");
    uploaded(&host, 2, "activate=false");
    let mut phones: Vec<_> = (0..24).map(|_| phone(&host)).collect();
    let mut canaries = || phones.iter_mut().map(asks).filter(|text| is_stamp(text, 2)).count();
    assert_eq!(canaries(), 0);
    order(host.admin, "PUT", "shop/canary", Some(&json!({"version": 2, "percent": 50.0})));
    let half = canaries();
    assert!((3..=21).contains(&half), "{half} of 24 are no half");
    assert_eq!(canaries(), half, "conversations were moved");
    order(host.admin, "PUT", "shop/canary", Some(&json!({"version": 2, "percent": 100.0})));
    assert_eq!(canaries(), 24);
    order(host.admin, "DELETE", "shop/canary", None);
    assert_eq!(canaries(), 0);
}

#[test]
fn a_planted_difference_is_found_and_nobody_hears_of_it() {
    let folder = scratch();
    let host = start(folder.path(), None);
    uploaded(&host, 1, "activate=true");
    uploaded(&host, 2, "activate=false");
    order(host.admin, "PUT", "shop/shadow", Some(&json!({"version": 2})));
    let mut phone = phone(&host);
    for _ in 0..5 {
        assert!(is_stamp(&asks(&mut phone), 1));
        assert_eq!(phone.ask("echo the same"), "the same");
    }
    let found = until("five differences", || {
        let found = host.get("/api/v1/deployments/shop/differences");
        let replies: Vec<_> =
            found["items"].as_array()?.iter().filter(|found| found["kind"] == "replies").cloned().collect();
        (replies.len() == 5).then_some(replies)
    });
    for difference in &found {
        assert_eq!((difference["live_version"].as_u64(), difference["shadow_version"].as_u64()), (Some(1), Some(2)));
        assert!(difference["shadow"].as_str().unwrap().contains("STAMP=0000000000000002"), "{difference}");
    }
    assert!(phone.is_silent_for(std::time::Duration::from_millis(200)), "the shadow was heard");
    order(host.admin, "DELETE", "shop/shadow", None);
    // It is made the live one.
    order(host.admin, "POST", "shop/activate", Some(&json!({"version": 2})));
    assert!(is_stamp(&asks(&mut phone), 2));
}
