// Each marked line must not compile, for the reason it is marked with.
// rejects_bad_descriptors.cmake compiles this file once and compares what the compiler says with
// the marks; so a mark stays on its line.
#include "metrics/descriptor.h"

using namespace pgconn::metrics;

// clang-format off
constexpr auto k01 = gauge("node_sessions", "H.");  // name_must_start_with_pgconn_process_or_probe
constexpr auto k02 = gauge("pgconn", "H.");  // name_must_start_with_pgconn_process_or_probe
constexpr auto k03 = gauge("pgconn_Sessions", "H.");  // name_must_be_lower_case_letters_digits_and_underscores
constexpr auto k04 = gauge("pgconn_a:b", "H.");  // name_must_be_lower_case_letters_digits_and_underscores
constexpr auto k05 = gauge("pgconn_\xC3\xA9", "H.");  // name_must_be_lower_case_letters_digits_and_underscores
constexpr auto k06 = gauge("pgconn__sessions", "H.");  // name_must_not_have_empty_words
constexpr auto k07 = gauge("pgconn_sessions_", "H.");  // name_must_not_have_empty_words
constexpr auto k08 = gauge("pgconn_session_sum", "H.");  // name_ends_in_a_reserved_suffix
constexpr auto k09 = gauge("pgconn_session_count", "H.");  // name_ends_in_a_reserved_suffix
constexpr auto k10 = histogram("pgconn_session_bucket", "H.", {}, Unit::kNone);  // name_ends_in_a_reserved_suffix
constexpr auto k11 = gauge("pgconn_session_created", "H.");  // name_ends_in_a_reserved_suffix
constexpr auto k12 = counter("pgconn_session_count_total", "H.");  // name_ends_in_a_reserved_suffix
constexpr auto k13 = counter("pgconn_sessions_ended", "H.");  // counter_must_end_in_total
constexpr auto k14 = gauge("pgconn_sessions_total", "H.");  // only_a_counter_may_end_in_total
constexpr auto k15 = info("pgconn_target", "H.", {"host"});  // info_must_end_in_info
constexpr auto k16 = gauge("pgconn_target_info", "H.", {"host"});  // only_an_info_may_end_in_info
constexpr auto k17 = gauge("pgconn_oldest", "H.", {}, Unit::kSeconds);  // name_must_end_in_its_unit
constexpr auto k18 = counter("pgconn_seconds_waited_total", "H.", {}, Unit::kSeconds);  // name_must_end_in_its_unit
constexpr auto k19 = histogram("pgconn_probe_duration", "H.");  // name_must_end_in_its_unit
constexpr auto k20 = gauge("pgconn_oldest_seconds", "H.");  // name_ends_in_a_unit_that_is_not_declared
constexpr auto k21 = counter("pgconn_read_bytes_total", "H.");  // name_ends_in_a_unit_that_is_not_declared
constexpr auto k22 = gauge("pgconn_timeout_ratio", "H.");  // name_ends_in_a_unit_that_is_not_declared
constexpr auto k23 = gauge("pgconn_wait_milliseconds", "H.");  // name_ends_in_a_unit_that_is_not_a_base_unit
constexpr auto k24 = gauge("pgconn_sessions", "");  // help_must_not_be_empty
constexpr auto k25 = gauge("pgconn_sessions", "Two\nlines.");  // help_must_be_one_line_of_utf8
constexpr auto k26 = gauge("pgconn_sessions", "Latin-1 \xE9.");  // help_must_be_one_line_of_utf8
constexpr auto k27 = gauge("pgconn_sessions", "H.", {"a", "b", "c", "d", "e", "f", "g", "h", "i"});  // too_many_labels
constexpr auto k28 = info("pgconn_target_info", "H.", {});  // info_needs_a_label
constexpr auto k29 = gauge("pgconn_sessions", "H.", {"Database"});  // label_must_be_lower_case_letters_digits_and_underscores
constexpr auto k30 = gauge("pgconn_sessions", "H.", {"1st"});  // label_must_be_lower_case_letters_digits_and_underscores
constexpr auto k31 = gauge("pgconn_sessions", "H.", {""});  // label_must_be_lower_case_letters_digits_and_underscores
constexpr auto k32 = gauge("pgconn_sessions", "H.", {"__name__"});  // label_must_not_start_with_underscore
constexpr auto k33 = gauge("pgconn_sessions", "H.", {"_database"});  // label_must_not_start_with_underscore
constexpr auto k34 = gauge("pgconn_sessions", "H.", {"target"});  // label_is_reserved
constexpr auto k35 = gauge("pgconn_sessions", "H.", {"le"});  // label_is_reserved
constexpr auto k36 = gauge("pgconn_sessions", "H.", {"quantile"});  // label_is_reserved
constexpr auto k37 = gauge("pgconn_sessions", "H.", {"instance"});  // label_is_reserved
constexpr auto k38 = gauge("pgconn_sessions", "H.", {"user", "state", "user"});  // label_appears_twice
