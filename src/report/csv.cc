#include "report/columns.h"
#include "report/report.h"

namespace assay::report {
namespace {

/// What every row says of its record, before the columns of its arm.
constexpr const char* kRunKeys[][2] = {
    {"model", "/model/name"},      {"batch_size", "/model/batch_size"},
    {"weights", "/model/weights"}, {"cpu", "/machine/cpu"},
    {"started", "/started"},       {"assay_version", "/assay_version"},
    {"trust", "/trust/verdict"}};

/// The value at `pointer` as a field; "" for null and for what is not there.
std::string Field(const Json& json, const char* pointer) {
  const Json::json_pointer where(pointer);
  if (!json.contains(where) || json.at(where).is_null()) {
    return "";
  }
  const Json& value = json.at(where);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& key : kRunKeys) {
    names.emplace_back(key[0]);
  }
  for (const Column& column : Columns()) {
    if (*column.key != '\0') {
      names.emplace_back(column.key);
    }
  }
  return names;
}

}  // namespace

std::string Csv(const std::vector<record::Run>& runs) {
  std::string text = CsvLine(Names());
  for (const record::Run& run : runs) {
    const Json json = record::ToJson(run);
    for (const Json& arm : json.at("arms")) {
      std::vector<std::string> fields;
      for (const auto& key : kRunKeys) {
        fields.push_back(Field(json, key[1]));
      }
      for (const Column& column : Columns()) {
        if (*column.key != '\0') {
          fields.push_back(Field(arm, column.pointer));
        }
      }
      text += CsvLine(fields);
    }
  }
  return text;
}

}  // namespace assay::report
