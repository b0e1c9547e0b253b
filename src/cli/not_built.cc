#include <fmt/format.h>

#include "cli/verb.h"

namespace assay::cli {

std::vector<Verb> AddNotBuilt(CLI::App& app) {
  std::vector<Verb> verbs;
  for (const char* name : {"analyze", "profile"}) {
    CLI::App* verb = app.add_subcommand(name, "not built yet")->allow_extras()->group("");
    verbs.push_back({verb, [name](const auto&) -> Result<int> {
                       return Error{Code::kInvalidArgument,
                                    fmt::format("the verb '{}' is not built yet", name),
                                    "assay --help lists what is"};
                     }});
  }
  return verbs;
}

}  // namespace assay::cli
