// Lists (models, conversions, engines, ...): items as JSON objects, and which of their fields
// people see. One list serves all four formats.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "report/report.h"

namespace assay::report {

struct ListColumn {
  std::string key;  // of the item
  Heading heading;
};

struct List {
  std::string name;                 // "models": the schema is assay.models/1
  Json items = Json::array();       // objects with the same keys
  std::vector<ListColumn> columns;  // of people's formats; CSV and JSON hold every key
};

std::string RenderList(const List& list, Format format, const Style& style);

/// One item in full: every key with its value, for `assay models NAME`.
std::string RenderItem(const List& list, const Json& item, Format format, const Style& style);

}  // namespace assay::report
