// Small text helpers: suggestions for misspelt names, splitting, byte and time formatting.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// The names nearest to `word`, best first, at most `most`; empty when nothing is near.
/// Compares case-insensitively, by edit distance and by shared parts (split at _ + - .), so that
/// "OPENVINO" finds "COMPILE_OPENVINO".
std::vector<std::string> Nearest(std::string_view word, const std::vector<std::string>& names,
                                 std::size_t most = 3);

/// " (did you mean A or B?)", or "" when nothing is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& names);

std::vector<std::string> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);

/// Whether it is UTF-8 without control characters: what JSON files and terminals can take.
bool IsText(std::string_view text);

/// Words of a library or a file, safe to print: on one line, control characters as blanks, bytes
/// that are no UTF-8 as "?", whole characters of at most `most` bytes.
std::string OneLine(std::string_view text, std::size_t most = 300);

/// A word as a shell takes it back: quoted where it must be.
std::string ShellQuoted(const std::string& word);

/// A word as (part of) a file name: what is no letter, digit, '-' or '_' becomes `other`.
std::string AsFileName(std::string text, char other);

/// "1.2 GB" (powers of 1000); "870 B".
std::string FormatBytes(std::uint64_t bytes);

}  // namespace assay
