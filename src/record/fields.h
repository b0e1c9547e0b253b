// Turns structs into JSON and back from one list of their fields: a function
// `template <class F, class S> void Fields(F& f, S& s)` for each struct, called with a FieldWriter
// or a FieldReader. Private to this room.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "record/record.h"

namespace assay::record {

// Values that are spelled as one JSON value. Parse returns what was expected ("an outcome") when
// `json` is not that, else null.
Json Spell(Outcome outcome);
Json Spell(const Interval& interval);
Json Spell(tensor::DType dtype);
const char* Parse(const Json& json, Outcome& outcome);
const char* Parse(const Json& json, Interval& interval);
const char* Parse(const Json& json, tensor::DType& dtype);

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

template <typename T>
concept Spelled =
    std::same_as<T, Outcome> || std::same_as<T, Interval> || std::same_as<T, tensor::DType>;

class FieldWriter {
 public:
  /// A field that is always there.
  template <typename T>
  void Field(const char* name, const T& value) {
    json_[name] = ToValue(value);
  }
  /// A field that is null when empty ("", [], 0): it does not apply then.
  template <typename T>
  void OrNull(const char* name, const T& value) {
    json_[name] = value == T{} ? Json(nullptr) : ToValue(value);
  }
  /// A field that documents of the same schema may lack.
  template <typename T>
  void Added(const char* name, const T& value) {
    Field(name, value);
  }
  template <typename T>
  void AddedOrNull(const char* name, const T& value) {
    OrNull(name, value);
  }

  template <typename T>
  static Json ToValue(const T& value) {
    if constexpr (IsOptional<T>::value) {
      return value ? ToValue(*value) : Json(nullptr);
    } else if constexpr (IsVector<T>::value) {
      Json array = Json::array();
      for (const auto& element : value) {
        array.push_back(ToValue(element));
      }
      return array;
    } else if constexpr (Spelled<T>) {
      return Spell(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      return std::isfinite(value) ? Json(value) : Json(nullptr);  // JSON has no NaN
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return Json(value);
    } else {
      FieldWriter fields;
      Fields(fields, value);
      return std::move(fields.json_);
    }
  }

 private:
  Json json_ = Json::object();
};

/// Reads fields out of parsed JSON; the first one that is missing or of a wrong type is remembered
/// with its path ("arms[2].latency_ms.median"), and the rest is passed over.
class FieldReader {
 public:
  FieldReader(const Json& json, std::string& path, std::optional<std::string>& error)
      : json_(json), path_(path), error_(error) {}

  template <typename T>
  void Field(const char* name, T& value) {
    if (json_.contains(name)) {
      Enter(fmt::format("{}{}", path_.empty() ? "" : ".", name), json_.at(name), value);
    } else {
      Fail(fmt::format("field '{}{}{}' is missing", path_, path_.empty() ? "" : ".", name));
    }
  }
  template <typename T>
  void OrNull(const char* name, T& value) {
    if (!json_.contains(name) || !json_.at(name).is_null()) {
      Field(name, value);
    }
  }
  template <typename T>
  void Added(const char* name, T& value) {
    if (json_.contains(name)) {
      Field(name, value);
    }
  }
  template <typename T>
  void AddedOrNull(const char* name, T& value) {
    if (json_.contains(name)) {
      OrNull(name, value);
    }
  }

  template <typename T>
  void Read(T& value) {
    if (error_) {
      return;
    }
    if constexpr (IsOptional<T>::value) {
      json_.is_null() ? value.reset() : Read(value.emplace());
    } else if constexpr (IsVector<T>::value) {
      ReadArray(value);
    } else if constexpr (Spelled<T>) {
      if (const char* expected = Parse(json_, value)) {
        Expected(expected);
      }
    } else if constexpr (std::is_same_v<T, bool>) {
      json_.is_boolean() ? void(value = json_.get<bool>()) : Expected("true or false");
    } else if constexpr (std::is_same_v<T, std::string>) {
      json_.is_string() ? void(value = json_.get<std::string>()) : Expected("a string");
    } else if constexpr (std::is_floating_point_v<T>) {
      json_.is_number() ? void(value = json_.get<T>()) : Expected("a number");
    } else if constexpr (std::is_integral_v<T>) {
      ReadInteger(value);
    } else if (json_.is_object()) {
      Fields(*this, value);
    } else {
      Expected("an object");
    }
  }

 private:
  template <typename T>
  void Enter(const std::string& step, const Json& json, T& value) {
    const std::size_t length = path_.size();
    path_ += step;
    FieldReader(json, path_, error_).Read(value);
    path_.resize(length);
  }

  template <typename T>
  void ReadArray(std::vector<T>& values) {
    if (!json_.is_array()) {
      Expected("a list");
      return;
    }
    values.clear();
    for (std::size_t i = 0; i < json_.size() && !error_; ++i) {
      Enter(fmt::format("[{}]", i), json_[i], values.emplace_back());
    }
  }

  template <typename T>
  void ReadInteger(T& value) {
    const bool fits = json_.is_number_unsigned() ? std::in_range<T>(json_.get<std::uint64_t>())
                                                 : json_.is_number_integer() &&
                                                       std::in_range<T>(json_.get<std::int64_t>());
    if (!fits) {
      Expected(std::is_unsigned_v<T> ? "a whole number of 0 or more" : "a whole number");
      return;
    }
    value = json_.get<T>();
  }

  void Expected(const char* what) {
    std::string found = json_.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (found.size() > 40) {
      found = fmt::format("{} of {} elements", json_.type_name(), json_.size());
    }
    Fail(fmt::format("{}: expected {}, found {}", path_.empty() ? "document" : path_, what,
                     OneLine(found, 80)));
  }
  void Fail(std::string message) {
    if (!error_) {
      error_ = std::move(message);
    }
  }

  const Json& json_;
  std::string& path_;
  std::optional<std::string>& error_;
};

}  // namespace assay::record
