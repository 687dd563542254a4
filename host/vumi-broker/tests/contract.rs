//! What every broker must do, run on every broker.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod suite;

/// Makes a module of tests for one kind of broker: `$make` is an async function from [`vumi_broker::BrokerOptions`] to
/// a [`suite::kit::Bench`].
macro_rules! contract_tests {
    ($kind:ident, $make:expr, { $($part:ident: $($test:ident)+;)+ }) => {
        mod $kind {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::suite::$part::$test($make).await;
                }
            )+)+
        }
    };
    ($kind:ident, $make:expr) => {
        contract_tests!($kind, $make, {
            delivery:
                messages_come_in_the_order_of_publishing
                a_consumer_has_no_more_than_its_prefetch
                without_a_prefetch_a_consumer_may_have_all
                what_is_acknowledged_does_not_come_again
                what_is_given_back_comes_first_in_the_old_order
                a_delay_is_kept_and_others_pass_meanwhile
                a_delay_reaches_a_consumer_that_waits
                the_longest_delay_does_no_harm
                a_dropped_delivery_comes_back
                consumers_take_turns
                a_consumer_that_stops_waiting_loses_nothing
                a_dropped_consumer_leaves_its_messages_to_others
                done_publishes_what_came_of_it
                done_that_fails_changes_nothing
                bad_bodies_and_names_are_refused_for_good
                numbers_of_queues_are_told;
            dead:
                a_rejected_message_is_a_dead_letter
                a_dead_letter_comes_back_to_the_end
                a_buried_letter_is_gone;
            closing:
                closing_ends_consumers_and_refuses_what_comes_later
                a_delivery_may_outlive_its_broker
                a_dropped_broker_is_closed;
            stress:
                nothing_is_lost_or_doubled_among_many
                deliveries_that_come_back_are_neither_lost_nor_doubled;
        });
    };
}

/// What only the embedded broker promises: bounds of its own, in messages and bytes. A queue of RabbitMQ has those that
/// an operator gives it, and its publishers are slowed by RabbitMQ (see `amqp.rs`).
macro_rules! bounds_tests {
    ($kind:ident, $make:expr) => {
        contract_tests!($kind, $make, {
            bounds:
                messages_from_the_edge_wait_for_room
                who_waits_longest_is_let_in_first
                an_edge_without_room_is_told_when_to_come_back
                a_publisher_that_gives_up_has_published_nothing
                messages_from_inside_pass_until_the_hard_bound
                room_is_told
                those_who_wait_for_room_and_publishers_take_turns
                bytes_are_bounded_as_well
                done_without_room_changes_nothing
                a_dead_letter_needs_room_to_come_back
                closing_sends_those_away_who_wait
                the_bound_is_told
                the_oldest_dead_letters_go_first
                queues_are_bounded;
        });
    };
}

contract_tests!(memory, super::suite::kit::memory);
contract_tests!(durable, super::suite::kit::durable);
contract_tests!(rabbitmq, super::suite::kit::rabbitmq);
bounds_tests!(memory_bounds, super::suite::kit::memory);
bounds_tests!(durable_bounds, super::suite::kit::durable);
