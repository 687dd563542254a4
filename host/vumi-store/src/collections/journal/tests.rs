//! Appending, folding and loading, without the collections around them.

use super::*;

fn open() -> Connection {
    let connection = Connection::open_in_memory().expect("opens");
    connection.execute_batch(MIGRATIONS[0]).expect("migrates");
    connection
}

fn push(n: i64) -> Vec<Op> {
    vec![Op::PushTail { key: "list".to_owned(), values: vec![n.to_string()] }]
}

fn rows(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM log", [], |row| row.get(0)).expect("counts")
}

#[test]
fn what_was_folded_is_not_replayed() {
    let (connection, mut model) = (open(), Model::default());
    for n in 1..=30 {
        model.replay(&push(n), 5).expect("steps");
        append(&connection, n, 5, &steps(Vec::new(), &push(n))).expect("appends");
        if n % 7 == 0 {
            let loaded = load(&connection).expect("loads");
            assert_eq!((loaded.logged, loaded.touched.first().map(String::as_str)), (7, Some("list")));
            let touched = ["list", "absent"].map(|key| (key.to_owned(), model.entries.get(key).cloned())).to_vec();
            fold(&connection, n, &touched).expect("folds");
            assert_eq!(rows(&connection), 0);
        }
        let loaded = load(&connection).expect("loads");
        assert_eq!((loaded.number, loaded.model), (n, model.clone()));
    }
    model.entries.remove("list");
    fold(&connection, 30, &[("list".to_owned(), None)]).expect("folds");
    assert_eq!(load(&connection).expect("loads").model, model);
}

#[test]
fn nothing_is_written_after_a_gap() {
    let connection = open();
    append(&connection, 1, 0, &steps(Vec::new(), &push(1))).expect("appends");
    for number in [0, 1, 3] {
        let error = append(&connection, number, 0, &steps(Vec::new(), &push(3))).expect_err("a gap");
        assert_eq!(error.to_string(), "a change before this one could not be written");
        if number != 1 {
            fold(&connection, number, &[]).expect_err("not the state of this file");
        }
    }
    assert_eq!((rows(&connection), load(&connection).expect("loads").number), (1, 1));
}

#[test]
fn a_log_that_is_none_is_an_error() {
    for text in ["", "{}", "[\"push_tail\"]", "[\"nonsense\", \"k\"]"] {
        let connection = open();
        append(&connection, 1, 0, text).expect("appends");
        assert!(load(&connection).is_err(), "{text}");
    }
}
