// Quantities as people read them. One place decides digits and units.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "record/record.h"

namespace assay::report {

inline constexpr const char* kNothing = "-";  // what does not apply

/// Four significant digits, no exponent: "16.82", "0.0312".
std::string Milliseconds(double ms);
/// "0.31 s", "29 s", "12 min", or "-".
std::string Seconds(std::optional<double> seconds);
std::string Bytes(std::optional<std::uint64_t> bytes);
/// "11.7 M", "1.81 G"; `count` below 1000 as it is.
std::string Count(std::uint64_t count);
/// Half the width of an interval relative to `center`: "±0.4 %"; "" without an interval.
std::string PlusMinus(const std::optional<record::Interval>& interval, double center);
/// "1.83x [1.80, 1.86]"
std::string Ratio(double ratio, const std::optional<record::Interval>& interval);
/// "3.1e-07"
std::string Scientific(double value);

}  // namespace assay::report
