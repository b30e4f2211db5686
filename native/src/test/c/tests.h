/* All tests. Names say what must hold; main.c runs them in the order in which they stand there. */
#ifndef KVMDB_TESTS_H
#define KVMDB_TESTS_H

#define TESTS(t) \
    t(crc32c_agrees_with_its_definition_at_every_length) \
    t(bitmap_agrees_with_a_naive_set) \
    t(bitmap_never_hides_a_member_from_its_owner) \
    t(growing_fills_holes_before_the_file) \
    t(reservations_beside_growth_never_exceed_what_is_available) \
    t(read_faults_show_lz4_raw_and_hole_pages_of_every_size) \
    t(sequential_reads_fill_ahead) \
    t(sequential_updates_fill_ahead_too) \
    t(a_write_to_a_missing_page_keeps_the_rest_of_it) \
    t(the_first_write_to_a_clean_page_makes_it_dirty_once) \
    t(load_brings_everything_in_and_refuses_what_lies_beyond) \
    t(prefetch_records_nothing_and_load_does) \
    t(pins_keep_pages_in_memory_and_write_pins_make_them_dirty) \
    t(a_page_holds_no_more_pins_than_its_word_can_count) \
    t(a_commit_makes_dirty_pages_clean_and_they_read_back) \
    t(a_write_to_a_frozen_page_sets_it_aside_in_memory) \
    t(a_write_to_a_frozen_page_sets_it_aside_in_the_spill_area) \
    t(a_failed_commit_leaves_everything_dirty) \
    t(a_commit_that_fails_late_leaves_the_next_ones_copies_alone) \
    t(a_freeze_in_pieces_finds_every_page_once) \
    t(a_freeze_that_fails_returns_what_it_froze) \
    t(rollback_returns_to_the_last_commit) \
    t(stolen_pages_are_read_from_the_overlay_until_the_commit) \
    t(an_overlay_entry_that_changed_stays_when_the_old_one_is_taken_out) \
    t(a_spilled_page_comes_back_by_a_read_or_a_write) \
    t(a_spilled_page_is_committed_from_the_spill_area) \
    t(a_spilled_page_that_does_not_come_back_is_bad) \
    t(a_spilled_page_that_does_not_come_back_is_not_committed) \
    t(a_page_that_cannot_be_spilled_stays) \
    t(a_spilled_page_may_be_pinned) \
    t(a_page_frozen_while_it_was_out_is_read) \
    t(a_page_frozen_while_it_was_out_is_written) \
    t(a_page_frozen_out_is_read_then_written_over_two_commits) \
    t(a_page_frozen_out_is_dirty_again_when_the_commit_fails) \
    t(a_transaction_larger_than_memory_goes_through_the_spill_area) \
    t(pages_that_found_no_place_in_a_queue_are_evicted_all_the_same) \
    t(a_flipped_bit_is_recorded_and_reads_as_zeros_until_unpoisoned) \
    t(a_bad_neighbour_does_not_harm_the_page_that_was_asked_for) \
    t(every_way_to_be_bad_has_its_cause) \
    t(a_neighbour_without_a_length_is_not_read) \
    t(a_map_that_leads_nowhere_is_bad_and_not_followed) \
    t(an_access_beyond_the_end_is_recorded) \
    t(only_so_many_errors_are_kept) \
    t(a_write_without_room_goes_through_unreserved_and_recorded) \
    t(reservations_stay_even_when_writes_fail) \
    t(a_block_that_moved_under_a_reader_is_read_again) \
    t(a_bad_frame_is_recorded_and_replaced) \
    t(a_run_that_is_mapped_in_part_is_undone) \
    t(a_page_that_cannot_be_evicted_or_spilled_stays_as_it_is) \
    t(what_is_dropped_before_a_page_that_stays_is_gone) \
    t(a_page_that_cannot_be_rolled_back_is_bad_until_it_can) \
    t(a_page_that_cannot_be_cut_off_or_closed_keeps_the_counters_even) \
    t(shrinking_drops_and_growing_again_reads_zeros) \
    t(what_was_read_ahead_beyond_a_new_end_is_gone) \
    t(pools_and_regions_do_not_get_into_each_others_way) \
    t(closing_returns_what_every_kind_of_page_counted) \
    t(replacing_drops_pages_in_every_state) \
    t(no_fault_in_flight_leaves_old_content_behind_a_replacement) \
    t(a_region_is_refused_that_makes_no_sense) \
    t(a_write_to_a_region_that_is_only_read_goes_to_the_older_handler) \
    t(an_epoch_has_passed_when_no_older_fault_is_in_flight) \
    t(pressure_wakes_who_waits_for_it) \
    t(latencies_are_counted_by_bucket) \
    t(a_read_that_fails_or_ends_early_or_lies_makes_a_bad_page) \
    t(a_read_that_is_wrong_once_is_read_again) \
    t(a_read_that_comes_in_pieces_is_put_together) \
    t(a_read_that_is_to_be_tried_again_for_ever_is_given_up) \
    t(odd_completions_are_not_seen) \
    t(a_completion_that_is_wrong_makes_a_bad_page) \
    t(a_read_beyond_the_deadline_makes_a_bad_page_and_harms_no_later_one) \
    t(when_all_slots_are_late_faults_fail_and_recover) \
    t(a_completion_that_never_comes_costs_a_page_and_a_slot) \
    t(a_pool_closes_while_a_read_hangs) \
    t(reads_that_miss_the_page_cache_go_through_the_ring) \
    t(what_was_evicted_comes_back_from_the_tier) \
    t(a_tier_has_no_memory_before_anything_is_evicted) \
    t(the_tier_finds_nothing_under_another_seal) \
    t(a_block_of_a_segments_former_life_is_not_found) \
    t(raw_blocks_and_wrong_ones_stay_out_of_the_tier) \
    t(what_was_found_stays_until_it_is_released) \
    t(what_is_asked_for_again_outlives_what_is_not) \
    t(the_tier_gives_its_memory_back_to_pages) \
    t(a_tier_too_small_is_none) \
    t(storm_on_the_tier) \
    t(the_handler_is_content_with_a_small_stack) \
    t(the_budget_holds_with_ten_times_the_data) \
    t(the_budget_holds_with_a_tier) \
    t(storm_in_memory_enough) \
    t(storm_in_little_memory) \
    t(storm_in_little_memory_with_a_tier) \
    t(storm_of_large_pages) \
    t(storm_of_large_pages_with_a_tier) \
    t(a_signal_that_is_not_ours_goes_to_the_older_handler)

#define DECLARE(name_) void name_(void);
TESTS(DECLARE)
#undef DECLARE

/* Stands in for the virtual machine: who had SIGBUS before us. */
void install_older_handler(void);

#endif
