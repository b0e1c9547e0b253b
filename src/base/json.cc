#include "base/json.h"

#include <string>

#include "base/file.h"

namespace assay {

Result<Json> ParseJson(std::string_view text, std::string_view what) {
  return FromJson(what, [&] { return Json::parse(text); });
}

Result<Json> ReadJson(const std::filesystem::path& path) {
  ASSAY_ASSIGN(const std::string text, ReadFile(path));
  return ParseJson(text, path.string());
}

}  // namespace assay
